import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.paimon.rest.RESTCatalogServer;
import org.apache.paimon.rest.auth.AuthProvider;
import org.apache.paimon.rest.auth.DLFDefaultSigner;
import org.apache.paimon.rest.auth.DLFOpenApiSigner;
import org.apache.paimon.rest.auth.DLFRequestSigner;
import org.apache.paimon.rest.auth.DLFToken;
import org.apache.paimon.rest.auth.RESTAuthParameter;
import org.apache.paimon.rest.responses.ConfigResponse;
import org.apache.paimon.shade.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.paimon.shade.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Paimon's own REST catalog server and its own request signers, asked in the line protocol of lines.py.
 *
 * <p>serve {folder, warehouse, auth} starts a server and answers {url}; auth is {"token": T} or the members of "key"
 * below. sign {key, method, path, query, body, host, now_millis} answers the headers that Paimon would send.
 * accept {warehouse, auth} changes what a server accepts. fail_next_commit makes the next commit answer 500 after it
 * was applied. A key is {algorithm, region, id, secret, security_token}.
 */
public class CatalogServer {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Authorizer> authorizers = new HashMap<>();

    /** Says what the Authorization header of a request must be; the server compares. */
    private static class Authorizer implements AuthProvider {
        private volatile JsonNode accepted;

        @Override
        public Map<String, String> mergeAuthHeader(Map<String, String> given, RESTAuthParameter request) {
            Map<String, String> headers = new HashMap<>(given);
            headers.put("Authorization", expected(given, request));
            return headers;
        }

        private String expected(Map<String, String> given, RESTAuthParameter request) {
            if (accepted.has("token")) {
                return "Bearer " + accepted.get("token").asText();
            }
            Map<String, String> headers = new HashMap<>(given);
            for (String name : new String[] {"Accept", "Content-MD5", "Content-Type", "Date", "Host"}) {
                String value = headers.remove(name.toLowerCase());
                if (value != null) {
                    headers.put(name, value);
                }
            }
            try {
                return signer(accepted).authorization(request, token(accepted), headers.get("Host"), headers);
            } catch (Exception e) {
                return "no signature: " + e;
            }
        }
    }

    private static DLFRequestSigner signer(JsonNode key) {
        return key.get("algorithm").asText().equals("openapi")
                ? new DLFOpenApiSigner()
                : new DLFDefaultSigner(key.get("region").asText());
    }

    private static DLFToken token(JsonNode key) {
        JsonNode securityToken = key.get("security_token");
        return new DLFToken(
                key.get("id").asText(),
                key.get("secret").asText(),
                securityToken == null || securityToken.isNull() ? null : securityToken.asText(),
                null);
    }

    private Object serve(JsonNode request) throws Exception {
        String warehouse = request.get("warehouse").asText();
        Authorizer authorizer = new Authorizer();
        authorizer.accepted = request.get("auth");
        authorizers.put(warehouse, authorizer);
        ConfigResponse config =
                new ConfigResponse(Collections.singletonMap("prefix", "tributary"), Collections.emptyMap());
        RESTCatalogServer server =
                new RESTCatalogServer(request.get("folder").asText(), authorizer, config, warehouse);
        server.start();
        return Collections.singletonMap("url", server.getUrl());
    }

    private Object accept(JsonNode request) {
        authorizers.get(request.get("warehouse").asText()).accepted = request.get("auth");
        return true;
    }

    private Object sign(JsonNode request) throws Exception {
        JsonNode key = request.get("key");
        Map<String, String> query = new LinkedHashMap<>();
        request.get("query").fields().forEachRemaining(p -> query.put(p.getKey(), p.getValue().asText()));
        String body = request.get("body").asText();
        String host = request.get("host").asText();
        DLFToken token = token(key);
        Map<String, String> headers =
                signer(key).signHeaders(
                        body, Instant.ofEpochMilli(request.get("now_millis").asLong()), token.getSecurityToken(), host);
        RESTAuthParameter parameter =
                new RESTAuthParameter(
                        request.get("path").asText(), query, request.get("method").asText(), body);
        Map<String, String> all = new TreeMap<>(headers);
        all.put("Authorization", signer(key).authorization(parameter, token, host, headers));
        return all;
    }

    private Object answer(JsonNode request) throws Exception {
        switch (request.get("op").asText()) {
            case "hello":
                return true;
            case "serve":
                return serve(request);
            case "accept":
                return accept(request);
            case "sign":
                return sign(request);
            case "fail_next_commit":
                RESTCatalogServer.commitSuccessThrowException = true;
                return true;
            default:
                throw new IllegalArgumentException("no such operation");
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        System.setOut(System.err);
        CatalogServer server = new CatalogServer();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            Map<String, Object> answer = new HashMap<>();
            try {
                answer.put("ok", server.answer(JSON.readTree(line)));
            } catch (Exception e) {
                e.printStackTrace();
                answer.put("error", e.toString());
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        System.exit(0);
    }
}
