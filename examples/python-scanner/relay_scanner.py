"""What every scanner in Python needs: the process around it, and the contract.

A scanner is an object with describe(), configure(config) and scan(content,
active); serve() does the rest. See words.py, and docs/protocol.md for the why.
"""

import base64
import datetime
import json
import logging
import os
import signal
import sys
import threading
import time
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from google.protobuf import any_pb2, empty_pb2
from google.rpc import code_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from mcprelay.scanner.v1 import scanner_pb2 as pb
from mcprelay.scanner.v1 import scanner_pb2_grpc as pb_grpc

COOKIE = "4f6b1c5e-5a0f-4c1b-9f6a-2d7e3b8c9a10"
SERVICE = "mcprelay.scanner.v1.ScannerService"
MAX_MESSAGE, MAX_CONTENT, MAX_REQUEST, MAX_CONFIG = 24 << 20, 8 << 20, 1 << 20, 1 << 20

log = logging.getLogger("scanner")

CODES = {
    pb.REASON_RATE_LIMITED: code_pb2.RESOURCE_EXHAUSTED,
    pb.REASON_UNAVAILABLE: code_pb2.UNAVAILABLE,
    pb.REASON_UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    pb.REASON_NOT_CONFIGURED: code_pb2.FAILED_PRECONDITION,
    pb.REASON_UNSUPPORTED: code_pb2.INVALID_ARGUMENT,
    pb.REASON_TOO_LARGE: code_pb2.OUT_OF_RANGE,
    pb.REASON_TIMEOUT: code_pb2.DEADLINE_EXCEEDED,
}


class ScanFailed(Exception):
    """There is no verdict. The message must repeat neither content nor secrets."""

    def __init__(self, reason, message, content_caused=False):
        super().__init__(message)
        self.detail = pb.ScanError(reason=reason, message=message, content_caused=content_caused)


class Service(pb_grpc.ScannerServiceServicer):
    """The contract around one scanner."""

    def __init__(self, scanner, health_servicer):
        self.scanner = scanner
        self.about = scanner.describe()
        self.health = health_servicer
        self.slots = threading.Semaphore(self.about.max_concurrent)
        self.idle = threading.Condition()
        self.running = 0
        self.configured = not self.about.configurable
        self.draining = False
        self.configuring = threading.Lock()
        self.health.set("plugin", health_pb2.HealthCheckResponse.SERVING)
        self._tell()

    def _tell(self):
        ready = self.configured and not self.draining
        status = health_pb2.HealthCheckResponse
        self.health.set(SERVICE, status.SERVING if ready else status.NOT_SERVING)

    def Describe(self, request, context):
        return self.about

    def Configure(self, request, context):
        with self.configuring:
            problems = self._configure(request.config_json or "{}")
            if not problems:
                self.configured = True
                self._tell()
        return pb.ConfigureResponse(problems=problems[:100])

    def _configure(self, text):
        if len(text) > MAX_CONFIG:
            return [pb.Problem(message="the configuration is longer than 1 MiB")]
        try:
            config = json.loads(text)
        except (ValueError, RecursionError):
            return [pb.Problem(message="the configuration is not JSON")]
        if not isinstance(config, dict):
            return [pb.Problem(message="the configuration is not a JSON object")]
        return [pb.Problem(pointer=p, message=m) for p, m in self.scanner.configure(config)]

    def Scan(self, request, context):
        start = time.monotonic()
        try:
            verdict = self._judge(request, context)
        except ScanFailed as failed:
            detail = failed.detail
        except Exception:  # nobody foresaw it: it costs this scan and nothing else
            log.error("a scan failed unforeseen")  # the text of the exception may hold content
            detail = pb.ScanError(reason=pb.REASON_INTERNAL, message="the scanner failed", content_caused=True)
        else:
            response = pb.ScanResponse(scan_id=request.scan_id, verdict=verdict)
            response.elapsed.FromMilliseconds(int((time.monotonic() - start) * 1000))
            return response
        packed = any_pb2.Any()
        packed.Pack(detail)
        code = CODES.get(detail.reason, code_pb2.INTERNAL)
        context.abort_with_status(rpc_status.to_status(status_pb2.Status(code=code, message="no verdict", details=[packed])))

    def _judge(self, request, context):
        content, scan_id = request.content, request.scan_id
        if not 1 <= len(scan_id) <= 64 or any(not "!" <= c <= "~" for c in scan_id):
            raise ScanFailed(pb.REASON_UNSUPPORTED, "the scan id is missing, too long or not printable ASCII")
        if content.phase not in pb.Phase.values()[1:] or content.kind not in pb.Kind.values()[1:]:
            raise ScanFailed(pb.REASON_UNSUPPORTED, "the phase or kind is unknown")
        if len(content.data) > MAX_CONTENT or len(content.request) > MAX_REQUEST:
            raise ScanFailed(pb.REASON_TOO_LARGE, "the content is above the limit of the contract")
        with self.idle:
            if self.draining:
                raise ScanFailed(pb.REASON_UNAVAILABLE, "the scanner is draining")
            if not self.configured:
                raise ScanFailed(pb.REASON_NOT_CONFIGURED, "the scanner is not configured")
            self.running += 1
        try:
            while not self.slots.acquire(timeout=0.1):
                if not context.is_active():
                    raise ScanFailed(pb.REASON_TIMEOUT, "nobody waits any more")
            try:
                return self.scanner.scan(content, context.is_active)
            finally:
                self.slots.release()
        finally:
            with self.idle:
                self.running -= 1
                self.idle.notify_all()

    def Drain(self, request, context):
        with self.idle:
            self.draining = True
            self._tell()
            self.idle.wait_for(lambda: self.running == 0, timeout=context.time_remaining())
        return pb.DrainResponse()


def serve(scanner):
    """Serves the scanner until the relay ends it."""
    if os.environ.get("MCP_RELAY_SCANNER") != COOKIE:
        sys.exit("This is a scanner: the relay starts it. Name this program in the relay's configuration.")
    # Whatever prints from here on writes to the log, not between us and the relay.
    handshake = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    logging.basicConfig(handlers=[_Lines()], level=logging.INFO)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    health_servicer = health.HealthServicer()
    # More threads than scans at a time, so that health is answered however busy we are.
    pool = futures.ThreadPoolExecutor(max_workers=96)
    limits = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(pool, options=limits)
    pb_grpc.add_ScannerServiceServicer_to_server(Service(scanner, health_servicer), server)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    server.add_generic_rpc_handlers((_controller(),))

    key, certificate = _identity()
    credentials = grpc.ssl_server_credentials(
        [(key, certificate.public_bytes(serialization.Encoding.PEM))],
        root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(),
        require_client_auth=True,
    )
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "scanner")
    server.add_secure_port("unix:" + path, credentials)
    server.start()
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode().rstrip("=")
    print("1", "1", "unix", path, "grpc", der, sep="|", file=handshake, flush=True)
    handshake.close()

    # The only sign of a relay that is gone: nothing is ever written to this pipe.
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def _controller():
    def shutdown(request, context):
        threading.Timer(0.1, os._exit, [0]).start()
        return empty_pb2.Empty()

    handler = grpc.unary_unary_rpc_method_handler(
        shutdown,
        request_deserializer=empty_pb2.Empty.FromString,
        response_serializer=empty_pb2.Empty.SerializeToString,
    )
    return grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": handler})


def _identity():
    """A key and a certificate that live as long as this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=30 * 365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, certificate


class _Lines(logging.StreamHandler):
    """Writes lines that keep their level in the relay's log."""

    def format(self, record):
        level = {"WARNING": "warn", "CRITICAL": "error"}.get(record.levelname, record.levelname.lower())
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")
        return json.dumps({"@level": level, "@message": record.getMessage(), "@timestamp": now})
