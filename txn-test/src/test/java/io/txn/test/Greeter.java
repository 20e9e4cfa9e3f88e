package io.txn.test;

/**
 * The program the tests of {@link JavaProcess} start: prints its arguments and a variable, then ends or waits as told.
 */
final class Greeter {

    private Greeter() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println("hello " + arguments[0] + " from " + System.getenv("GREETER_PLACE"));
        if (arguments[0].equals("children")) {
            JavaProcess child =
                    JavaProcess.mainClass(Greeter.class).args("child").start(java.nio.file.Path.of(arguments[1]));
            child.awaitLine("hello child", java.time.Duration.ofSeconds(60));
            System.out.println("child is " + child.pid());
        }
        if (arguments[0].equals("exit")) {
            System.exit(Integer.parseInt(arguments[1]));
        }
        System.out.println("ready");
        new java.util.concurrent.CountDownLatch(1).await();
    }
}
