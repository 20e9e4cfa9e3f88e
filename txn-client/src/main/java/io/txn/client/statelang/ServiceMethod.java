package io.txn.client.statelang;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The method that a state calls. Immutable. */
record ServiceMethod(String service, Method method) {

    /**
     * Finds it by its name, the types of its parameters where the definition names them, and else how many values it is given.
     *
     * @throws io.txn.protocol.TxnException STATE_MACHINE_REFUSED when there is none, or more than one
     */
    static ServiceMethod of(StateMachine machine, State.Task task, Services services) {
        Class<?> type = services.type(task.service());
        if (type == null) {
            throw MachineCheck.refused(
                    machine, task, "there is no service " + task.service(), "the name of a bean of this application");
        }
        Map<List<Class<?>>, Method> named = new LinkedHashMap<>();
        for (Method method : type.getMethods()) {
            if (method.getName().equals(task.method())
                    && !method.isBridge()
                    && !Modifier.isStatic(method.getModifiers())) {
                named.putIfAbsent(List.of(method.getParameterTypes()), method);
            }
        }
        List<Method> fitting = named.values().stream()
                .filter(method -> fits(method, task, named.size()))
                .toList();
        if (fitting.size() != 1) {
            throw MachineCheck.refused(
                    machine,
                    task,
                    (fitting.isEmpty() ? "no" : "more than one") + " public method " + task.method() + " of "
                            + type.getName()
                            + (task.parameterTypes() == null
                                    ? " takes " + task.input().size() + " values"
                                    : " takes " + task.parameterTypes()),
                    named.isEmpty()
                            ? "the name of a public method"
                            : "ParameterTypes of one of "
                                    + named.keySet().stream()
                                            .map(ServiceMethod::names)
                                            .toList());
        }
        ServiceMethod found = new ServiceMethod(task.service(), fitting.get(0));
        found.requireReadable(machine, task);
        String problem = services.problem(task.service(), found.method);
        if (problem != null) {
            throw MachineCheck.refused(
                    machine, task, problem, "the method in the interface too, or the bean proxied by its class");
        }
        return found;
    }

    private static boolean fits(Method method, State.Task task, int all) {
        List<String> wanted = task.parameterTypes();
        if (wanted != null) {
            return wanted.equals(names(Arrays.asList(method.getParameterTypes())));
        }
        int takes = method.getParameterCount();
        // What editors write where nothing is given.
        boolean nothing = task.input().equals(List.of(new Template.Mapped(Map.of())));
        return takes == task.input().size() || all == 1 && (takes > task.input().size() || takes == 0 && nothing);
    }

    private static List<String> names(List<Class<?>> types) {
        return types.stream().map(Class::getName).toList();
    }

    private void requireReadable(StateMachine machine, State.Task task) {
        Type[] types = method.getGenericParameterTypes();
        for (int i = 0; i < types.length; i++) {
            String problem = i < task.input().size()
                    ? Trees.unreadable(types[i])
                    : method.getParameterTypes()[i].isPrimitive() ? "nothing is given for it" : null;
            if (problem != null) {
                throw MachineCheck.refused(
                        machine,
                        task,
                        "parameter " + (i + 1) + " of "
                                + method.getDeclaringClass().getSimpleName() + "." + method.getName() + ", a "
                                + types[i].getTypeName() + ": " + problem,
                        "scalars, lists, maps, records, or classes with setters and a public constructor without parameters");
            }
        }
    }

    /**
     * What the method is called with; what the definition does not give is null.
     *
     * @throws Trees.MisfitException when a value is none of the type that is taken
     */
    @Nullable
    Object[] arguments(List<? extends @Nullable Object> given) throws Trees.MisfitException {
        Type[] types = method.getGenericParameterTypes();
        List<@Nullable Object> arguments = new ArrayList<>();
        for (int i = 0; i < types.length; i++) {
            try {
                arguments.add(i < given.size() ? Trees.as(types[i], given.get(i)) : null);
            } catch (Trees.MisfitException e) {
                throw new Trees.MisfitException("Input[" + i + "]: " + e.getMessage());
            }
        }
        return arguments.toArray();
    }
}
