package io.txn.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Every error that a user can meet, with a constant sentence and what to do about it. A code is never reused for another meaning.
 * {@code docs/errors.md} is generated from this list.
 *
 * <p>Areas: {@code CFG} configuration and start-up, {@code NET} reaching the coordinator, {@code TX} global transactions, {@code AT}
 * statements and undo, {@code LCK} global locks, {@code CRD} the coordinator itself, {@code DOC} what the doctor of an application finds, {@code ADM} the
 * admin API, {@code SEC} TLS and credentials, {@code ACT} actions and the fence, {@code XA} transactions that
 * databases prepare.
 */
public enum ErrorCode {
    NO_COORDINATOR(
            "TXN-NET001",
            Category.RETRY,
            "no coordinator could be reached",
            "start the coordinator, or correct txn.coordinator.address (host:port) or the registry settings; check that the port is open"),
    REQUEST_TIMED_OUT(
            "TXN-NET002",
            Category.UNKNOWN_OUTCOME,
            "the peer did not answer in time",
            "look the XID up at the coordinator before repeating the business call; raise txn.client.request-timeout if the coordinator is merely slow"),
    CONNECTION_LOST(
            "TXN-NET003",
            Category.UNKNOWN_OUTCOME,
            "the connection broke before the answer came",
            "look the XID up at the coordinator before repeating the business call"),
    REGISTRATION_REFUSED(
            "TXN-NET004",
            Category.OPERATOR,
            "the coordinator refused this application's registration",
            "read the coordinator's log for the reason, and compare credentials, version and resource ids"),
    TOO_MANY_REQUESTS(
            "TXN-NET005",
            Category.RETRY,
            "too many requests wait for an answer on one connection",
            "slow down, or raise the limit on requests in flight"),
    MALFORMED_FRAME(
            "TXN-NET006",
            Category.GIVE_UP,
            "a peer sent bytes that are not a valid frame",
            "check that only clients of this protocol connect to the port, and the peer's version"),
    ANSWER_UNREADABLE(
            "TXN-NET007",
            Category.UNKNOWN_OUTCOME,
            "the peer answered, and the answer cannot be read",
            "read the peer's log: it failed while answering, or speaks another version; look the XID up at the coordinator before repeating the call"),
    MESSAGE_TOO_LARGE(
            "TXN-NET008",
            Category.GIVE_UP,
            "a message does not fit on the wire",
            "shorten the named field, or touch fewer rows in one local transaction"),
    PORT_UNAVAILABLE(
            "TXN-NET009",
            Category.OPERATOR,
            "the TCP port could not be opened",
            "stop what listens there, or set another host or port"),
    NO_COORDINATOR_THERE(
            "TXN-NET010",
            Category.OPERATOR,
            "what listens at the coordinator's address does not speak its protocol",
            "give the coordinator's TCP port (txn.coordinator.tcp.port, 8091 unless changed), not that of its HTTP interface or of another service"),

    BEGIN_FAILED(
            "TXN-TX001",
            Category.RETRY,
            "the global transaction could not be opened",
            "see the cause; nothing was changed, so the call can be repeated"),
    TRANSACTION_NOT_FOUND(
            "TXN-TX002",
            Category.GIVE_UP,
            "the coordinator does not know this global transaction",
            "it has ended and left retention, or another coordinator opened it: compare the XID's address with the coordinator's"),
    TRANSACTION_NOT_ACTIVE(
            "TXN-TX003",
            Category.GIVE_UP,
            "the global transaction is already decided",
            "do no further work under this XID; a branch that came late must be rolled back locally"),
    TRANSACTION_TIMED_OUT(
            "TXN-TX004",
            Category.GIVE_UP,
            "the global transaction passed its deadline and was rolled back",
            "find what was slow, or raise the timeout of @GlobalTransactional"),
    COMMIT_REFUSED(
            "TXN-TX005",
            Category.GIVE_UP,
            "the commit was refused: the global transaction is rolling back or was rolled back",
            "see the cause recorded at the coordinator, and repeat the business call if that makes sense"),
    OUTCOME_UNKNOWN(
            "TXN-TX006",
            Category.UNKNOWN_OUTCOME,
            "the decision was asked for, and its answer did not arrive",
            "look the XID up at the coordinator; the coordinator finishes what it decided, or rolls back at the deadline"),
    PROPAGATION_VIOLATED(
            "TXN-TX007",
            Category.GIVE_UP,
            "the propagation of @GlobalTransactional forbids this call",
            "MANDATORY needs a surrounding global transaction and NEVER forbids one: change the propagation or the caller"),
    TOO_MANY_BRANCHES(
            "TXN-TX008",
            Category.GIVE_UP,
            "the global transaction has as many branches as it may have",
            "split the business action, or raise the coordinator's limit"),
    ROLLBACK_FAILED(
            "TXN-TX009",
            Category.OPERATOR,
            "the rollback could not be completed",
            "the coordinator goes on; if the transaction needs attention, look it up in the admin API and decide"),
    COMMIT_INCOMPLETE(
            "TXN-TX010",
            Category.OPERATOR,
            "the global transaction was committed, and a branch could not carry that out",
            "look the transaction up in the admin API, and finish the named branch by hand"),
    BRANCH_REFUSED(
            "TXN-TX011",
            Category.GIVE_UP,
            "the coordinator did not register the branch",
            "see the reason it gave, and its log"),
    LOCAL_TRANSACTION_OPEN(
            "TXN-TX012",
            Category.GIVE_UP,
            "a global transaction would begin or be left in the middle of a local transaction, which would split what belongs together",
            "put @GlobalTransactional on the outermost method, outside @Transactional, and no other propagation than REQUIRED or SUPPORTS inside"),
    ROLLED_BACK_ONLY(
            "TXN-TX013",
            Category.GIVE_UP,
            "the global transaction was rolled back, because work for it had failed and the failure was caught on the way",
            "let the failure reach the method with @GlobalTransactional, or say with its onSwallowed that it is to be committed all the same"),
    REPEATED_FAILURE(
            "TXN-TX014",
            Category.GIVE_UP,
            "a request with this idempotency key has failed before, and is not run again",
            "see what it failed with; mend that and send the request under a new key"),
    DUPLICATE_REQUEST(
            "TXN-TX015",
            Category.RETRY,
            "another request with this idempotency key is under way",
            "ask again later: its outcome will be given then; onDuplicate says whether to wait for it"),
    RESULT_NOT_KEPT(
            "TXN-TX016",
            Category.GIVE_UP,
            "a request with this idempotency key was committed before, and what it returned cannot be given again",
            "do not repeat it; read its result where the business keeps it"),
    BAD_IDEMPOTENCY_KEY(
            "TXN-TX017",
            Category.GIVE_UP,
            "the idempotency key of this request cannot be used, so it was not run",
            "let the expression make a text, a number or a UUID of 1 to 200 bytes that is the same for the same request"),
    RESULT_NOT_STORABLE(
            "TXN-TX018",
            Category.GIVE_UP,
            "what a request with an idempotency key returned cannot be stored, so it was rolled back",
            "return something smaller or simpler, such as an id, of a type that the application's JSON mapper can write and read"),
    WORK_UNFINISHED(
            "TXN-TX019",
            Category.GIVE_UP,
            "the global transaction was to end while work for it still ran on other threads, and was rolled back",
            "wait for that work inside the method, or set onUnfinished to WAIT"),
    ROLLED_BACK(
            "TXN-TX020",
            Category.GIVE_UP,
            "the global transaction was rolled back because of the exception that this one is attached to",
            "see that exception: it is why"),

    STATEMENT_NOT_SUPPORTED(
            "TXN-AT001",
            Category.GIVE_UP,
            "this statement cannot be undone and was refused before it ran",
            "rewrite it as the reason says, run it outside the global transaction, or use TCC for it"),
    NO_UNDO_TABLE(
            "TXN-AT002",
            Category.OPERATOR,
            "the undo table is missing, or cannot be used",
            "let the starter create it (txn.jdbc.create-undo-table=true), or run the script for this database that the txn-client jar ships under io/txn/client/jdbc/schema; let this account SELECT, INSERT, UPDATE and DELETE its rows"),
    TABLE_WITHOUT_KEY(
            "TXN-AT003",
            Category.GIVE_UP,
            "the table has neither a primary key nor a unique key without NULLs, so its rows cannot be named",
            "add a primary key, or keep the statement outside the global transaction"),
    DATABASE_NOT_SUPPORTED(
            "TXN-AT004",
            Category.GIVE_UP,
            "AT mode does not know this database",
            "use MySQL, MariaDB, PostgreSQL or H2, or exclude the data source with txn.jdbc.excluded"),
    KEY_UPDATE_REFUSED(
            "TXN-AT005",
            Category.GIVE_UP,
            "a statement that changes a primary key was refused before it ran, because nobody tells which row got which key",
            "change it by an UPDATE of one table without IGNORE, or delete the row and insert it under the new key"),
    DIRTY_WRITE(
            "TXN-AT006",
            Category.OPERATOR,
            "a row was changed by someone else after this transaction wrote it, so undoing would overwrite that change",
            "compare before, after and current values, decide, and guard the other writer with @GlobalLock or a global transaction"),
    UNDO_UNREADABLE(
            "TXN-AT007",
            Category.OPERATOR,
            "an undo record cannot be read",
            "check that no other product or newer version writes into this undo table, and on MySQL and MariaDB that no SQL changes a session's character set"),
    LOCAL_COMMIT_LATE(
            "TXN-AT008",
            Category.GIVE_UP,
            "the local transaction came after the branch had been rolled back, and was refused",
            "nothing: the rollback has already happened, and no change was kept"),
    H2_NOT_DURABLE(
            "TXN-AT009",
            Category.OPERATOR,
            "this H2 file database acknowledges commits before they are written",
            "add ;WRITE_DELAY=0 to the JDBC URL"),
    VALUE_NOT_SUPPORTED(
            "TXN-AT010",
            Category.GIVE_UP,
            "a column's type cannot be kept in the undo log",
            "leave the column out of the statement, or keep the statement outside the global transaction"),
    LOCAL_TRANSACTION_SPANS(
            "TXN-AT011",
            Category.GIVE_UP,
            "a local transaction holds work of this global transaction and work outside it, which would be decided apart",
            "begin the global transaction before the local one and end it after it (@GlobalTransactional outside @Transactional)"),
    CAPTURE_FAILED(
            "TXN-AT012",
            Category.GIVE_UP,
            "what a statement changed could not be captured whole, so its local transaction cannot be committed",
            "roll back and see the reason; repeat the business call if it names a change of the schema"),
    UNDO_TOO_LARGE(
            "TXN-AT013",
            Category.GIVE_UP,
            "the undo record of one local transaction is larger than it may be",
            "write fewer or smaller rows in one local transaction, or raise the limit"),
    CATALOG_HIDDEN(
            "TXN-AT014",
            Category.OPERATOR,
            "the database hides from this account what may act behind its statements",
            "run the GRANT that the line names, or make sure that there is no such trigger or foreign key"),
    READ_NOT_CHECKABLE(
            "TXN-AT015",
            Category.GIVE_UP,
            "a read is to show committed rows only, and this one cannot be checked",
            "rewrite it as the reason says, or read it without isolation = READ_COMMITTED"),
    UNDO_NOT_WANTED(
            "TXN-AT016",
            Category.GIVE_UP,
            "the coordinator does not want this branch undone any more, and nothing was undone",
            "nothing: an operator gave the branch up, or it has ended, while this process stood still"),
    DATABASE_NOT_ASKED(
            "TXN-AT017",
            Category.OPERATOR,
            "a data source is to take part in global transactions, and its database could not be asked which one it is",
            "see the problem: start the database, or correct the data source's URL, user or password; name the data source in txn.jdbc.excluded if it is to be left alone"),

    LOCK_CONFLICT(
            "TXN-LCK001",
            Category.RETRY,
            "another global transaction holds the row",
            "retry later; keep global transactions short, and touch rows in the same order everywhere"),
    LOCK_CONFLICT_ROLLING_BACK(
            "TXN-LCK002",
            Category.RETRY,
            "the row's holder is rolling back and needs the row itself",
            "roll the local transaction back and retry"),
    LOCK_DEADLOCK(
            "TXN-LCK003",
            Category.RETRY,
            "global transactions wait for each other's rows in a circle, and this one was chosen to give way",
            "roll the global transaction back and repeat the business call; touch rows in the same order everywhere"),
    LOCK_WAIT_OVER(
            "TXN-LCK004",
            Category.RETRY,
            "another global transaction still holds the row after the time that was waited for it",
            "see who holds it and what it is doing; repeat the business call, keep global transactions short, or raise txn.client.lock-wait"),
    LOCK_WAIT_REFUSED(
            "TXN-LCK005",
            Category.RETRY,
            "another global transaction holds the row, and the coordinator lets nobody wait for it: it stops, or too many wait",
            "repeat the business call a little later"),

    JOURNAL_FAILED(
            "TXN-CRD001",
            Category.OPERATOR,
            "the coordinator's journal could not be written",
            "free disk space or mend the disk, then restart the coordinator: nothing that was acknowledged is lost"),
    JOURNAL_DAMAGED(
            "TXN-CRD002",
            Category.OPERATOR,
            "the coordinator's journal is damaged before its end",
            "restore the named file from a copy; the coordinator does not start over a hole in its records"),
    DATA_DIR_IN_USE(
            "TXN-CRD003",
            Category.OPERATOR,
            "another process uses this data directory",
            "stop the other coordinator, or give this one its own txn.coordinator.data-dir"),
    JOURNAL_TOO_NEW(
            "TXN-CRD004",
            Category.OPERATOR,
            "the journal was written by a newer version",
            "start the newer version again"),
    COORDINATOR_OVERLOADED(
            "TXN-CRD005",
            Category.RETRY,
            "the coordinator has as much work waiting as it may have",
            "retry with back-off; add capacity if this lasts"),
    BAD_REQUEST("TXN-CRD006", Category.GIVE_UP, "the request is not valid", "see the named field"),
    EXPOSED_WITHOUT_CREDENTIALS(
            "TXN-CRD007",
            Category.OPERATOR,
            "the TCP port for applications would listen beyond loopback, and its clients need no credentials",
            "configure txn.coordinator.clients (docs/operations.md shows how), listen on loopback, or, in a network in which everybody may begin, commit and roll back transactions, set txn.coordinator.allow-unauthenticated=true"),
    DATA_DIR_UNUSABLE(
            "TXN-CRD008",
            Category.OPERATOR,
            "the data directory cannot be created, read or written",
            "check that txn.coordinator.data-dir names a directory, that there is room, and that the coordinator's user may write there"),
    RECORD_TOO_LARGE(
            "TXN-CRD009",
            Category.GIVE_UP,
            "a change is larger than the journal takes in one piece",
            "let one request name fewer rows and carry less data, or raise the journal's limit"),
    COORDINATOR_STOPPING(
            "TXN-CRD010",
            Category.UNKNOWN_OUTCOME,
            "the coordinator is stopping",
            "ask again when it is back: what it had accepted is in its journal"),
    COORDINATOR_MISTAKE(
            "TXN-CRD011",
            Category.OPERATOR,
            "the coordinator met a state that should not be",
            "report it with the coordinator's log; nothing was decided by the request that met it"),
    JOURNAL_LOW_ON_SPACE(
            "TXN-CRD012",
            Category.OPERATOR,
            "the disk of the coordinator's journal is full, so no global transaction is begun; those under way finish",
            "free space on the disk of the coordinator's txn.coordinator.data-dir: it goes on by itself then"),
    APPLICATION_DATA_TOO_LONG(
            "TXN-CRD013",
            Category.GIVE_UP,
            "a branch's application data is longer than it may be",
            "let the branch carry less, or raise txn.coordinator.limits.application-data-length"),
    NO_NEW_TRANSACTIONS(
            "TXN-CRD014",
            Category.RETRY,
            "the coordinator is about to stop and begins no more global transactions",
            "repeat the call: our client does so by itself for txn.client.connect-wait; nothing was begun"),

    BAD_CONFIGURATION(
            "TXN-CFG001",
            Category.OPERATOR,
            "a configuration value is not valid",
            "correct the named key or annotation as the problem says"),
    COORDINATOR_NOT_CONFIGURED(
            "TXN-CFG002",
            Category.OPERATOR,
            "no coordinator is configured",
            "set txn.coordinator.address=host:port, or configure a registry such as txn.nacos.server-addr"),
    UNKNOWN_KEY(
            "TXN-CFG003",
            Category.OPERATOR,
            "a configuration key, or a class that one excludes, is not known, so it does nothing",
            "correct or remove it; docs/configuration.md lists every key"),

    REGISTRY_NAME_UNKNOWN(
            "TXN-DOC001",
            Category.OPERATOR,
            "the registry's host name is not known on this machine",
            "correct the host name of the registry, or mend name resolution (DNS, /etc/hosts)"),
    REGISTRY_UNREACHABLE(
            "TXN-DOC002",
            Category.OPERATOR,
            "nothing takes connections at the registry's address",
            "start the registry, correct its port, or open the way to it; Nacos 2 and later need the port plus 1000 as well"),
    REGISTRY_REFUSES(
            "TXN-DOC003",
            Category.OPERATOR,
            "the registry does not take this user and password, or this access and secret key",
            "correct the registry's user and password (or access and secret key), and see that they may read the service"),
    REGISTRY_NAMESPACE_UNKNOWN(
            "TXN-DOC004",
            Category.OPERATOR,
            "the registry has no such namespace",
            "give the id of the namespace, which is not its name, or create it; the coordinator must use the same one"),
    REGISTRY_SERVICE_UNKNOWN(
            "TXN-DOC005",
            Category.OPERATOR,
            "no coordinator is registered under this name where this application looks",
            "start a coordinator that registers there, and compare service name, group, namespace and cluster on both sides"),
    REGISTRY_INSTANCE_UNUSABLE(
            "TXN-DOC006",
            Category.OPERATOR,
            "coordinators are registered, and none of them can be used",
            "see in the registry why they are disabled, unhealthy or in another cluster"),
    CLOCKS_DIFFER(
            "TXN-DOC007",
            Category.OPERATOR,
            "the clocks of this machine and of the coordinator differ",
            "synchronise both with a time server: logs are compared by them, and signatures and certificates depend on them"),
    DATA_SOURCE_NOT_WRAPPED(
            "TXN-DOC008",
            Category.OPERATOR,
            "a data source beneath another one is no bean, so its changes are NOT undone by global transactions",
            "make the data source beneath a bean, or exclude it by name in txn.jdbc.excluded if that is meant"),
    ADVICE_INSIDE_TRANSACTION(
            "TXN-DOC009",
            Category.OPERATOR,
            "the global transaction of a method would begin inside its local one, which is refused when it is called",
            "give @EnableTransactionManagement (or spring.aop, or your own advisor) a later order than the global transaction's, which is the first"),
    JARS_MIXED(
            "TXN-DOC010",
            Category.OPERATOR,
            "the jars of this product on the class path do not belong together: one is there several times, or their versions differ",
            "let txn-bom decide the version, and see mvn dependency:tree or gradle dependencies for who brings the other one"),
    SEATA_BESIDE(
            "TXN-DOC011",
            Category.OPERATOR,
            "Seata's client is on the class path too, and would wrap the same data sources and begin transactions of its own",
            "remove it (docs/migrate-from-seata.md), or switch it off with seata.enabled=false"),
    EXAMINATION_FAILED(
            "TXN-DOC012",
            Category.OPERATOR,
            "the doctor could not look at something",
            "see the reason; the application itself is not touched by it"),
    ANNOTATION_WITHOUT_EFFECT(
            "TXN-DOC013",
            Category.OPERATOR,
            "@GlobalTransactional on a bean has no effect, because the bean is no proxy",
            "let nothing that is made before all other beans (a BeanPostProcessor, what it injects) depend on it; a line of BeanPostProcessorChecker names it"),
    SHARDING_NOT_COVERED(
            "TXN-DOC014",
            Category.OPERATOR,
            "ShardingSphere is set up in a way in which global transactions could not undo what is done through it",
            "let it work in standalone mode with local transactions (no XA, no BASE), or exclude the data source by name in txn.jdbc.excluded if its work belongs to no global transaction"),
    REACTIVE_DATABASE_NOT_COVERED(
            "TXN-DOC015",
            Category.OPERATOR,
            "a database is reached by R2DBC, which takes part in no global transaction",
            "do by JDBC (in reactive code by ReactiveContexts.blocking) what belongs to global transactions; if nothing does, name this code in txn.doctor.accepted"),

    UNAUTHENTICATED(
            "TXN-ADM001",
            Category.GIVE_UP,
            "the admin API needs its token",
            "send Authorization: Bearer <token>; the token stands in the file admin-token in the coordinator's data directory"),
    NOTHING_HERE(
            "TXN-ADM002",
            Category.GIVE_UP,
            "there is nothing at this path",
            "see docs/operations.md for the paths of the admin API"),
    METHOD_NOT_ALLOWED(
            "TXN-ADM003",
            Category.GIVE_UP,
            "this path does not know this method",
            "use a method that the Allow header names"),
    NOT_JSON(
            "TXN-ADM004",
            Category.GIVE_UP,
            "the admin API speaks JSON only",
            "send Content-Type: application/json with a body, and accept application/json"),
    BRANCH_NOT_FOUND(
            "TXN-ADM005",
            Category.GIVE_UP,
            "the coordinator does not know this branch of this global transaction",
            "show the global transaction to see its branches; it may have ended and left retention"),
    OPERATION_REFUSED(
            "TXN-ADM006",
            Category.GIVE_UP,
            "the operation does not fit the state of the global transaction, and nothing was changed",
            "show the global transaction, and see docs/operations.md for what can be done in which state"),
    UNEXPECTED_ERROR(
            "TXN-ADM007",
            Category.OPERATOR,
            "the coordinator could not answer because of a fault of its own",
            "look into the coordinator's log at this moment, and report it"),
    ADMIN_TOKEN_UNUSABLE(
            "TXN-ADM008",
            Category.OPERATOR,
            "the file with the admin token cannot be used",
            "let nobody but the coordinator's user read and write it (mode 600), or delete it to get a new token at the next start"),

    TLS_UNTRUSTED(
            "TXN-SEC001",
            Category.OPERATOR,
            "the peer's certificate was issued by nobody who is trusted here",
            "put the authority that issued it into the truststore of the SSL bundle, or give the peer a certificate of an authority that is there"),
    TLS_NAME_MISMATCH(
            "TXN-SEC002",
            Category.OPERATOR,
            "the peer's certificate is for another name",
            "connect by a name or address that stands in the certificate as a subject alternative name, issue one that has it, or state the name with txn.client.ssl.server-name"),
    TLS_CERTIFICATE_EXPIRED(
            "TXN-SEC003",
            Category.OPERATOR,
            "a certificate of the peer is not valid at this time",
            "renew the certificate, and check the clocks of both machines"),
    TLS_NOT_SPOKEN(
            "TXN-SEC004",
            Category.OPERATOR,
            "the peer did not answer the TLS handshake",
            "give the coordinator a certificate (txn.coordinator.tcp.ssl.bundle), or set txn.client.ssl.enabled=false; check that this is the coordinator's TCP port"),
    TLS_REQUIRED(
            "TXN-SEC005",
            Category.OPERATOR,
            "the peer speaks TLS only, and this side speaks plain",
            "set txn.client.ssl.bundle (or txn.client.ssl.enabled=true when its certificate is of a public authority)"),
    TLS_REFUSED(
            "TXN-SEC006",
            Category.OPERATOR,
            "the peer ended the TLS handshake: it refuses this side's certificate, or wants one",
            "give this side a certificate (a keystore in the SSL bundle) of an authority that the peer trusts, and see the peer's log"),
    TLS_FAILED(
            "TXN-SEC007",
            Category.OPERATOR,
            "the TLS handshake failed",
            "see the reason; compare protocol versions, ciphers and certificates of both sides"),
    TOKEN_EXPOSED(
            "TXN-SEC008",
            Category.OPERATOR,
            "a token would travel, or has travelled, in plain text over a network",
            "use TLS on both sides (txn.coordinator.tcp.ssl.bundle, txn.client.ssl.bundle); replace a token that has travelled so"),
    CLIENT_UNKNOWN(
            "TXN-SEC009",
            Category.OPERATOR,
            "the connection did not prove to be one of the coordinator's clients",
            "give the application a credential of an entry of txn.coordinator.clients: txn.client.token, txn.client.access-key with secret-key, or a certificate in txn.client.ssl.bundle"),
    APPLICATION_NOT_PERMITTED(
            "TXN-SEC010",
            Category.OPERATOR,
            "this client may not register under this application name",
            "add the name to the applications of its entry in txn.coordinator.clients, or use the credentials made for this application"),
    RESOURCE_NOT_PERMITTED(
            "TXN-SEC011",
            Category.OPERATOR,
            "this client may not use this resource",
            "add the resource to the resources of its entry in txn.coordinator.clients"),
    CREDENTIALS_UNUSABLE(
            "TXN-SEC012",
            Category.OPERATOR,
            "credentials cannot be used",
            "correct the named file or key; see docs/operations.md for what belongs there"),

    NO_FENCE_TABLE(
            "TXN-ACT001",
            Category.OPERATOR,
            "the fence's table is missing, or cannot be used",
            "let the starter create it (txn.fence.create-table=true), or run the script for this database that the txn-client jar ships under io/txn/client/fence/schema; let this account SELECT, INSERT, UPDATE and DELETE its rows"),
    ACTION_TOO_LATE(
            "TXN-ACT002",
            Category.GIVE_UP,
            "an action came after its branch had been ended, and was refused before its first line",
            "nothing: the global transaction has been decided, and no change was made"),
    NOTHING_TO_CONFIRM(
            "TXN-ACT003",
            Category.OPERATOR,
            "a branch is to be confirmed whose action was never kept in this database",
            "see whether the database was restored or its fence table emptied, or the action broke off; finish the branch by hand, then give it up in the admin API"),
    ENDED_THE_OTHER_WAY(
            "TXN-ACT004",
            Category.OPERATOR,
            "a branch is to be ended one way and was ended the other way",
            "somebody else than the coordinator called its confirm or cancel: compare what both did, and give the branch up in the admin API"),
    ACTION_OUTSIDE_TRANSACTION(
            "TXN-ACT005",
            Category.GIVE_UP,
            "an action was called outside a global transaction, where nobody would confirm or cancel it",
            "call it from a method with @GlobalTransactional, or in a service that received the XID"),
    ACTION_VALUES_UNFIT(
            "TXN-ACT006",
            Category.GIVE_UP,
            "what an action captures cannot be kept",
            "capture texts, numbers, booleans, java.time values, UUIDs, enums, byte arrays, lists, sets, maps with text keys, optionals and records of these; and less of them"),
    ACTION_VALUES_UNREADABLE(
            "TXN-ACT007",
            Category.RETRY,
            "what an action captured cannot be read here",
            "another version of the application wrote it: see that an instance of that version runs until its transactions have ended"),
    ACTION_MISDECLARED(
            "TXN-ACT008",
            Category.GIVE_UP,
            "an action is declared in a way that cannot work",
            "declare it as the message shows"),
    OTHER_DATABASE(
            "TXN-ACT009",
            Category.RETRY,
            "a branch is to be ended in another database than the one that it began in",
            "a router needs to know where to go when the coordinator calls too: declare an action for each data source, or take what the router goes by from what is captured; a server that was replaced needs its rows"),

    XA_NOT_POSSIBLE(
            "TXN-XA001",
            Category.OPERATOR,
            "this database cannot prepare transactions",
            "set the server up as the message says, or use AT mode for this data source (txn.jdbc.mode)"),
    XA_BRANCH_LOST(
            "TXN-XA002",
            Category.OPERATOR,
            "the connection that held a prepared branch is gone, and its changes with it",
            "do by hand what the branch was to do, then give it up in the admin API; H2 in XA mode is for tests only"),
    CONNECTION_OF_OTHER_MODE(
            "TXN-XA003",
            Category.GIVE_UP,
            "a connection that was taken for AT mode is used for XA, or the other way round; the statement was not run",
            "take the connection within the scope that says in which mode it is to work"),
    ROW_HELD_BY_ITSELF(
            "TXN-XA004",
            Category.GIVE_UP,
            "a row was waited for in vain that an earlier local transaction of the same global transaction may hold: it is prepared, and keeps its rows until the decision",
            "do both in one local transaction (@Transactional around them), or use AT mode, where a global transaction may change a row again"),
    HELD_WORK_FAILED(
            "TXN-XA005",
            Category.GIVE_UP,
            "a local transaction that had waited for the end of its global one could not be prepared and was taken back, so all of it is rolled back",
            "see the cause, and repeat the business call if that makes sense"),
    XA_ORPHAN(
            "TXN-XA006",
            Category.OPERATOR,
            "a prepared branch has no coordinator that would end it, and keeps its rows",
            "look at what it was to do, then end it in the database (XA COMMIT, COMMIT PREPARED …), or set txn.xa.orphans=roll-back"),
    XA_BRANCH_NOT_ON_STANDBY(
            "TXN-XA007",
            Category.OPERATOR,
            "a standby took the place of the database server, and does not know a prepared branch that is to be committed",
            "look whether its changes are there; if not, make them by hand; then give the branch up in the admin API. A standby that follows synchronously has each branch (synchronous_standby_names)"),
    XA_ENDED_OTHERWISE(
            "TXN-XA008",
            Category.OPERATOR,
            "a prepared branch was ended by somebody else, and not as it was decided",
            "put right by hand what the branch was to do or not to do, then give it up in the admin API"),

    SAGA_TOO_LARGE(
            "TXN-SGA001",
            Category.GIVE_UP,
            "a saga's plan, input or result is larger than it may be",
            "pass keys instead of data between steps, or split the saga"),
    SAGA_TARGET_NOT_ALLOWED(
            "TXN-SGA002",
            Category.GIVE_UP,
            "the coordinator does not call the HTTP target of this step",
            "add the beginning of its URL to txn.coordinator.saga.http.targets, or let the step be a method of an application"),
    SAGA_NOT_YOURS_TO_END(
            "TXN-SGA003",
            Category.GIVE_UP,
            "what was asked for does not fit a saga that the coordinator drives",
            "let the coordinator end it: wait for it, roll it back, or have an operator do so"),
    SAGA_MISDECLARED(
            "TXN-SGA011",
            Category.OPERATOR,
            "a saga, or a step of one, is declared in a way that could not work",
            "declare it as the message shows"),
    SAGA_VALUE_UNFIT(
            "TXN-SGA012",
            Category.GIVE_UP,
            "a value cannot be handed to a saga, or read from one",
            "use the types that actions may capture, and the definition that the saga was started with"),
    SAGA_CORRELATION_UNKNOWN(
            "TXN-SGA013",
            Category.GIVE_UP,
            "no step of a saga waits under this correlation id",
            "pass on the text that StepContext.correlationId() or the header Txn-Correlation-Id gave, unchanged; the saga may have ended long ago"),
    SAGA_NOT_DONE(
            "TXN-SGA014",
            Category.GIVE_UP,
            "a saga has no result, because it is not done",
            "look at the state of its outcome: it is on its way, turns back, or has been undone"),
    SAGA_STEP_LOST(
            "TXN-SGA015",
            Category.OPERATOR,
            "a step of a saga was done, and its database knows nothing of it any more",
            "do by hand what its compensation was to do, then give the branch up in the admin API; rows of the fence must not be deleted while their saga is on its way"),
    SAGA_START_UNKNOWN(
            "TXN-SGA016",
            Category.UNKNOWN_OUTCOME,
            "a saga was to be started, and whether it was is not known, because no answer came",
            "start it again under the same key, which gives the saga that there is; of one without a key ask the coordinator (its name and time) before starting another"),
    SAGA_NOT_ANSWERED(
            "TXN-SGA017",
            Category.RETRY,
            "the coordinator did not take a question or an answer about a saga, and changed nothing",
            "see the reason that it gave, and ask or answer again later"),
    STATE_MACHINE_REFUSED(
            "TXN-SGA018",
            Category.OPERATOR,
            "a state machine definition cannot be imported, or run here",
            "write what the message names as expected, or take the definition out of txn.saga.state-machine.resources");

    /** What the caller can do about an error. */
    public enum Category {
        /** Nothing happened; the same call may succeed later. */
        RETRY,
        /** Nothing happened, and the same call will fail again. */
        GIVE_UP,
        /** A person has to act. */
        OPERATOR,
        /** It may or may not have happened. */
        UNKNOWN_OUTCOME
    }

    private final String id;
    private final Category category;
    private final String sentence;
    private final String fix;

    ErrorCode(String id, Category category, String sentence, String fix) {
        if (!isWellFormed(id) || sentence.isBlank() || fix.isBlank()) {
            throw new IllegalArgumentException("an error code needs a well-formed id, a sentence and a fix: " + id);
        }
        this.id = id;
        this.category = category;
        this.sentence = sentence;
        this.fix = fix;
    }

    /** {@code TXN-}, two or three capital letters and three digits. Without a regular expression, which each start of a process would compile for every code. */
    private static boolean isWellFormed(String id) {
        int digits = id.length() - 3;
        boolean right = id.startsWith("TXN-") && (digits == 6 || digits == 7);
        for (int i = 4; right && i < id.length(); i++) {
            char next = id.charAt(i);
            right = i < digits ? next >= 'A' && next <= 'Z' : next >= '0' && next <= '9';
        }
        return right;
    }

    /** The stable id, {@code TXN-<area><nnn>}. */
    public String id() {
        return id;
    }

    /** Whether a peer's message names this code, as {@link TxnException} writes it. */
    public boolean isNamedIn(@Nullable String message) {
        return message != null && message.contains(id);
    }

    public Category category() {
        return category;
    }

    /** What happened, as a constant text. */
    public String sentence() {
        return sentence;
    }

    /** What the reader can do about it. */
    public String fix() {
        return fix;
    }
}
