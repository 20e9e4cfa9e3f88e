package io.txn.spring.autoconfigure;

import io.txn.protocol.ErrorCode;
import io.txn.spring.doctor.Diagnosis;
import io.txn.spring.doctor.Doctor;
import io.txn.spring.doctor.Finding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/** What the doctor finds now. */
@Endpoint(id = "txn")
final class TxnEndpoint {

    private final Doctor doctor;

    TxnEndpoint(Doctor doctor) {
        this.doctor = doctor;
    }

    @ReadOperation
    public Map<String, Object> diagnosis() {
        Diagnosis diagnosis = doctor.examine();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("problems", diagnosis.problems().size());
        answer.put("parts", diagnosis.parts().stream().map(TxnEndpoint::part).toList());
        return answer;
    }

    private static Map<String, Object> part(Diagnosis.Part part) {
        List<Map<String, Object>> findings =
                part.findings().stream().map(TxnEndpoint::finding).toList();
        return Map.of("about", part.about(), "findings", findings);
    }

    private static Map<String, Object> finding(Finding finding) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("subject", finding.subject());
        shown.put("seen", finding.seen());
        ErrorCode code = finding.code();
        if (code != null) {
            shown.put("code", code.id());
            shown.put("problem", code.sentence());
            shown.put("fix", code.fix());
        }
        return shown;
    }
}
