package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.jdbc.XaReconciler;
import io.txn.client.rpc.CoordinatorState;
import io.txn.spring.GlobalTransactionalOptions;
import io.txn.spring.doctor.AdviceExamination;
import io.txn.spring.doctor.CoordinatorsExamination;
import io.txn.spring.doctor.DataSourcesExamination;
import io.txn.spring.doctor.Doctor;
import io.txn.spring.doctor.Examination;
import io.txn.spring.doctor.JarsExamination;
import io.txn.spring.doctor.KeysExamination;
import io.txn.spring.doctor.PreparedBranchesExamination;
import io.txn.spring.doctor.ReactiveDatabasesExamination;
import io.txn.spring.doctor.RegistryExamination;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.io.ResourceLoader;
import org.springframework.util.ClassUtils;

/** The doctor, what he looks at, and health, which Spring Boot 4 moved to another place. */
final class DoctorBeans extends BeanRegistrar {

    private static final String REACTIVE_CONNECTIONS = "io.r2dbc.spi.ConnectionFactory";

    @Override
    void register(BeanRegistrations beans) {
        beans.bindLate(DoctorProperties.class, "txn.doctor", DoctorProperties::defaults);
        beans.lazy(Own.class, "txnDoctor", Doctor.class);
        if (beans.isOn("txn.doctor.enabled")) {
            beans.lazy(Own.class, "txnDoctorReport", DoctorReport.class); // made for the event that it waits for
        }
        beans.lazy(Own.class, "txnCoordinatorsExamination", Examination.class);
        beans.lazy(Own.class, "txnRegistryExamination", Examination.class);
        beans.lazy(Own.class, "txnAdviceExamination", Examination.class);
        beans.lazy(Own.class, "txnKeysExamination", Examination.class);
        beans.lazy(Own.class, "txnJarsExamination", Examination.class);
        if (beans.has("txnAtDataSources")) {
            beans.lazy(OfDataSources.class, "txnDataSourcesExamination", Examination.class);
            beans.lazy(OfDataSources.class, "txnPreparedBranchesExamination", Examination.class);
        }
        if (beans.arePresent(REACTIVE_CONNECTIONS)) {
            beans.lazy(Own.class, "txnReactiveDatabasesExamination", Examination.class);
        }
        if (beans.arePresent("org.springframework.boot.actuate.endpoint.SanitizingFunction")) {
            beans.lazy(Shown.class, "txnSanitizingFunction", SanitizingFunction.class);
        }
        if (!beans.has("txnHealthIndicator")
                && beans.isOn("management.health.txn.enabled", beans.isOn("management.health.defaults.enabled"))) {
            health(beans);
        }
    }

    private static void health(BeanRegistrations beans) {
        if (beans.arePresent(
                "org.springframework.boot.actuate.health.HealthIndicator",
                "org.springframework.boot.actuate.autoconfigure.health.ConditionalOnEnabledHealthIndicator")) {
            HealthOfSpringBoot3.register(beans);
        } else if (beans.arePresent(
                "org.springframework.boot.health.contributor.HealthIndicator",
                "org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator")) {
            HealthOfSpringBoot4.register(beans);
        }
    }

    private static ClassLoader loader(ResourceLoader resources) {
        ClassLoader loader = resources.getClassLoader();
        return loader == null ? DoctorBeans.class.getClassLoader() : loader;
    }

    /** What is there in any case. */
    static final class Own {

        private Own() {}

        static Doctor txnDoctor(ObjectProvider<Examination> examinations) {
            return new Doctor(() -> examinations.orderedStream().toList());
        }

        static DoctorReport txnDoctorReport(
                ObjectProvider<Doctor> txnDoctor, TxnClient txnClient, DoctorProperties txnDoctorProperties) {
            return new DoctorReport(new Provided<>(txnDoctor), txnClient, txnDoctorProperties);
        }

        @Order(100)
        static Examination txnCoordinatorsExamination(TxnClient txnClient, DoctorProperties txnDoctorProperties) {
            return new CoordinatorsExamination(txnClient, txnDoctorProperties.clocksMayDiffer());
        }

        @Order(200)
        static Examination txnRegistryExamination(CoordinatorLocator locator) {
            return new RegistryExamination(locator);
        }

        /** Where R2DBC is, which an application has on purpose, and seldom for the same rows. */
        @Order(350)
        static Examination txnReactiveDatabasesExamination(
                ConfigurableListableBeanFactory beanFactory, ResourceLoader resources) {
            return new ReactiveDatabasesExamination(
                    beanFactory, ClassUtils.resolveClassName(REACTIVE_CONNECTIONS, loader(resources)));
        }

        @Order(500)
        static Examination txnAdviceExamination(ConfigurableListableBeanFactory beanFactory) {
            return new AdviceExamination(beanFactory);
        }

        @Order(600)
        static Examination txnKeysExamination(ConfigurableEnvironment environment, ResourceLoader resources) {
            return new KeysExamination(environment, loader(resources));
        }

        @Order(700)
        static Examination txnJarsExamination(ConfigurableEnvironment environment, ResourceLoader resources) {
            return new JarsExamination(
                    loader(resources), () -> "false".equalsIgnoreCase(environment.getProperty("seata.enabled")));
        }
    }

    /** Where AT mode is on. */
    static final class OfDataSources {

        private OfDataSources() {}

        @Order(300)
        static Examination txnDataSourcesExamination(
                AtDataSources txnAtDataSources,
                JdbcProperties txnJdbcProperties,
                ObjectProvider<GlobalTransactionalOptions> txnGlobalTransactionalOptions) {
            return new DataSourcesExamination(
                    txnAtDataSources, txnAtDataSources::wrapped, txnJdbcProperties.xa(), () -> {
                        GlobalTransactionalOptions known = txnGlobalTransactionalOptions.getIfAvailable();
                        return known == null ? Set.of() : known.wantingXa();
                    });
        }

        @Order(400)
        static Examination txnPreparedBranchesExamination(XaReconciler txnXaReconciler) {
            return new PreparedBranchesExamination(txnXaReconciler::orphans);
        }
    }

    /** Where the actuator shows keys, in {@code configprops} and {@code env}: whoever has it show values does not mean secrets. */
    static final class Shown {

        /** In each form that a key is written in. */
        private static final Pattern SECRET = Pattern.compile(
                "txn[._].*(password|secret[-_]?key|access[-_]?key|token|propagation[._]key)(\\[\\d+]|_\\d+)*",
                Pattern.CASE_INSENSITIVE);

        private Shown() {}

        static SanitizingFunction txnSanitizingFunction() {
            return data ->
                    SECRET.matcher(data.getKey()).matches() ? data.withValue(SanitizableData.SANITIZED_VALUE) : data;
        }
    }

    /** Each coordinator by its address, for the details of health. */
    private static Map<String, Object> details(TxnClient client) {
        Map<String, Object> details = new LinkedHashMap<>();
        for (CoordinatorState state : client.coordinatorStates()) {
            String reason = state.reason();
            details.put(
                    state.address().toString(),
                    state.connected() ? "connected" : reason == null ? "not connected yet" : reason);
        }
        if (details.isEmpty()) {
            details.put(
                    "coordinators",
                    "none is known; searched " + client.locator().description());
        }
        return details;
    }

    /** Where Spring Boot 3 has its health. */
    static final class HealthOfSpringBoot3 {

        private HealthOfSpringBoot3() {}

        static void register(BeanRegistrations beans) {
            beans.eager(
                    HealthOfSpringBoot3.class,
                    "txnHealthIndicator",
                    org.springframework.boot.actuate.health.HealthIndicator.class);
        }

        static org.springframework.boot.actuate.health.HealthIndicator txnHealthIndicator(TxnClient txnClient) {
            return () -> (txnClient.connected()
                            ? org.springframework.boot.actuate.health.Health.up()
                            : org.springframework.boot.actuate.health.Health.down())
                    .withDetails(details(txnClient))
                    .build();
        }
    }

    /** Where Spring Boot 4 has its health. */
    static final class HealthOfSpringBoot4 {

        private HealthOfSpringBoot4() {}

        static void register(BeanRegistrations beans) {
            beans.eager(
                    HealthOfSpringBoot4.class,
                    "txnHealthIndicator",
                    org.springframework.boot.health.contributor.HealthIndicator.class);
        }

        static org.springframework.boot.health.contributor.HealthIndicator txnHealthIndicator(TxnClient txnClient) {
            return () -> (txnClient.connected()
                            ? org.springframework.boot.health.contributor.Health.up()
                            : org.springframework.boot.health.contributor.Health.down())
                    .withDetails(details(txnClient))
                    .build();
        }
    }
}
