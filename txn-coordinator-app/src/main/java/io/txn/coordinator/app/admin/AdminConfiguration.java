package io.txn.coordinator.app.admin;

import io.txn.coordinator.Coordinator;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.http.HttpHeaders;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.Authentication;
import org.springframework.security.web.AuthenticationEntryPoint;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.UsernamePasswordAuthenticationFilter;
import tools.jackson.databind.json.JsonMapper;

/** The admin API's beans: the token guards every path but health, and the key of a step opens what ends that step; no session, no cookie, no form, hence nothing for a forged request to ride on. */
@Configuration(proxyBeanMethods = false)
public final class AdminConfiguration {

    private static final Pattern STEP = Pattern.compile(AdminController.SAGA_STEPS + "/([^/]+)/([0-9]+)/[a-z]+");

    AdminConfiguration() {}

    @Bean
    ProblemWriter problemWriter(JsonMapper mapper) {
        return new ProblemWriter(mapper);
    }

    @Bean
    SecurityFilterChain adminSecurity(
            HttpSecurity http, AdminToken token, Coordinator coordinator, ProblemWriter problems) throws Exception {
        AuthenticationEntryPoint unauthenticated = (request, response, exception) -> {
            response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
            problems.write(response, 401, Problem.of(ErrorCode.UNAUTHENTICATED));
        };
        return http.authorizeHttpRequests(requests -> requests
                        // The second round of a request that was let in, or an error that is being told.
                        .dispatcherTypeMatchers(DispatcherType.ASYNC, DispatcherType.ERROR)
                        .permitAll()
                        .requestMatchers("/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness")
                        .permitAll()
                        .requestMatchers(AdminController.SAGA_STEPS + "/**")
                        .access((caller, request) -> new AuthorizationDecision(
                                isAdmin(caller.get()) || hasKeyOfStep(request.getRequest(), coordinator)))
                        .anyRequest()
                        .hasAuthority(TokenFilter.ADMIN))
                .addFilterBefore(new TokenFilter(token), UsernamePasswordAuthenticationFilter.class)
                .exceptionHandling(errors -> errors.authenticationEntryPoint(unauthenticated))
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .csrf(AbstractHttpConfigurer::disable)
                .requestCache(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .build();
    }

    private static boolean isAdmin(@Nullable Authentication caller) {
        return caller != null
                && caller.getAuthorities().stream()
                        .anyMatch(authority -> TokenFilter.ADMIN.equals(authority.getAuthority()));
    }

    /** Whoever was called for a step may say what came of it, and do nothing else. */
    private static boolean hasKeyOfStep(HttpServletRequest request, Coordinator coordinator) {
        String presented = TokenFilter.presented(request);
        Matcher step = STEP.matcher(request.getServletPath());
        if (presented == null || !step.matches()) {
            return false;
        }
        try {
            return coordinator.isKeyOfStep(
                    new Xid(step.group(1)), new BranchId(Long.parseLong(step.group(2))), presented);
        } catch (IllegalArgumentException e) {
            return false; // neither is the id of anything
        }
    }

    @Bean
    AdminController adminController(
            Coordinator coordinator,
            JsonMapper mapper,
            // Its queue needs no bound of its own: a connection waits for one answer at a time, and connections are
            // bounded.
            @Qualifier(TaskExecutionAutoConfiguration.APPLICATION_TASK_EXECUTOR_BEAN_NAME) AsyncTaskExecutor executor) {
        return new AdminController(coordinator, mapper, executor);
    }

    @Bean
    ProblemAdvice problemAdvice(ProblemWriter problems) {
        return new ProblemAdvice(problems);
    }

    @Bean
    ErrorPage errorPage(ProblemWriter problems) {
        return new ErrorPage(problems);
    }

    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> problemsOfTheServerItself() {
        return factory -> factory.addContextCustomizers(
                context -> context.getParent().getPipeline().addValve(new ProblemValve()));
    }
}
