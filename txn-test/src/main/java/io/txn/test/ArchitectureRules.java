package io.txn.test;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The rules of structure that every module keeps. A module's {@code ArchitectureTest} imports its main classes once and checks the rules that
 * concern it:
 *
 * <pre>{@code
 * JavaClasses classes = ArchitectureRules.mainClasses("io.txn.protocol");
 * ArchitectureRules.noPackageCycles("io.txn.protocol").check(classes);
 * }</pre>
 */
public final class ArchitectureRules {

    private ArchitectureRules() {}

    /** The classes of {@code rootPackage} and below that are not tests, and not in somebody's jar. */
    public static JavaClasses mainClasses(String rootPackage) {
        return new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(rootPackage);
    }

    /** No package of {@code rootPackage} and below depends, by whatever detour, on itself. */
    public static ArchRule noPackageCycles(String rootPackage) {
        return SlicesRuleDefinition.slices()
                .assignedFrom(new PackageSlices(rootPackage))
                .should()
                .beFreeOfCycles();
    }

    /** Every package says what lives in it and is checked for nulls. */
    public static ArchRule everyPackageIsNullMarked() {
        return ArchRuleDefinition.classes().should(new ArchCondition<JavaClass>("live in a @NullMarked package") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                JavaPackage home = item.getPackage();
                boolean marked = home.tryGetAnnotationOfType("org.jspecify.annotations.NullMarked")
                        .isPresent();
                events.add(new SimpleConditionEvent(
                        item, marked, home.getName() + (marked ? " is" : " is not") + " @NullMarked"));
            }
        });
    }

    /**
     * Classes of {@code packages} know nothing but these packages (patterns such as {@code java..}). Annotations for null checks are always
     * allowed.
     */
    public static ArchRule onlyDependOn(String packages, String... allowed) {
        String[] all = Arrays.copyOf(allowed, allowed.length + 1);
        all[allowed.length] = "org.jspecify.annotations..";
        return ArchRuleDefinition.classes()
                .that()
                .resideInAPackage(packages)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(all);
    }

    /** Classes of {@code packages} know nothing of the packages {@code forbidden}. */
    public static ArchRule neverDependOn(String packages, String... forbidden) {
        return ArchRuleDefinition.noClasses()
                .that()
                .resideInAPackage(packages)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden);
    }

    /** Nothing builds objects of whatever type the bytes name: what is read from outside is of a closed set of types. */
    public static ArchRule noGeneralDeserialiser() {
        return ArchRuleDefinition.noClasses()
                .should()
                .dependOnClassesThat()
                .haveNameMatching(String.join(
                        "|",
                        "java\\.io\\.(ObjectInput|ObjectInputStream|Externalizable)",
                        "java\\.beans\\.XMLDecoder",
                        "java\\.rmi\\..*",
                        "javax\\.naming\\.((Initial)?Context|(spi|directory)\\..*)",
                        "javax\\.script\\..*",
                        "java\\.net\\.URLClassLoader",
                        "io\\.netty\\.handler\\.codec\\.serialization\\..*",
                        "com\\.fasterxml\\.jackson\\.databind\\.jsontype\\..*",
                        "com\\.caucho\\.hessian\\..*",
                        "com\\.esotericsoftware\\.kryo\\..*",
                        "org\\.(nustaq|apache\\.fury|apache\\.fory)\\..*",
                        "org\\.yaml\\.snakeyaml\\..*"));
    }

    /** Only the class named here (its simple name) unfolds what is compressed, so that there is one place with a bound. */
    public static ArchRule onlyUnfolds(String compressor) {
        return ArchRuleDefinition.noClasses()
                .that()
                .haveNameNotMatching(".*\\." + compressor + "(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .haveNameMatching("java\\.util\\.zip\\.(.*Inflater.*|GZIPInputStream|Zip.*|Deflater.*)"
                        + "|io\\.netty\\.handler\\.codec\\.compression\\..*");
    }

    /** Time and chance come in through constructors, except in the wiring classes named here (simple names). */
    public static ArchRule timeAndChanceComeInThroughTheDoor(String... wiring) {
        var classes = ArchRuleDefinition.noClasses().that().haveSimpleNameNotEndingWith("package-info");
        for (String name : wiring) {
            classes = classes.and().doNotHaveSimpleName(name);
        }
        return classes.should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(Clock.class, "systemUTC")
                .orShould()
                .callMethod(Clock.class, "systemDefaultZone")
                .orShould()
                .callMethod(UUID.class, "randomUUID")
                .orShould()
                .callMethod(ThreadLocalRandom.class, "current")
                .orShould()
                .callConstructor(Random.class)
                .orShould()
                .callConstructor(SecureRandom.class)
                .orShould()
                .callMethod(Math.class, "random");
    }

    /** Each package is a slice of its own, the root as well. */
    private record PackageSlices(String root) implements SliceAssignment {

        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            String name = javaClass.getPackageName();
            return name.equals(root) || name.startsWith(root + ".")
                    ? SliceIdentifier.of(name)
                    : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
            return "packages of " + root;
        }
    }
}
