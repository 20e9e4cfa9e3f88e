package io.txn.spring.autoconfigure;

import java.nio.file.Path;

/** A coordinator in a process of its own, to be killed: data directory and port. */
final class CoordinatorMain {

    private CoordinatorMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        try (TestCoordinator coordinator =
                TestCoordinator.start(Path.of(arguments[0]), Integer.parseInt(arguments[1]))) {
            System.out.println("serving on " + coordinator.address());
            Thread.currentThread().join();
        }
    }
}
