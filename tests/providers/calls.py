"""Calls as each provider makes them to a webhook of ours: signed as it documents, with keys of the tests' own."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

NOW = datetime(2022, 12, 1, 14, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
OURS = "<abc-3-42.00ff@relaciones.quito.example>"
ADDRESS = "alcaldia@nabon.example"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOPIC = "arn:aws:sns:us-east-1:000000000000:brief"
BASIC = {"Authorization": "Basic " + b64encode(b"brief:a password").decode()}
PASSWORD = {"username": "brief", "password": "a password"}


def certificate(key=RSA_KEY):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.example")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return built.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def sendgrid(payload, *, stamp=STAMP):
    body = json.dumps(payload).encode()
    signature = b64encode(EC_KEY.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    return {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }, body


def mailgun(data, *, stamp=STAMP, token="t" * 50):
    signature = hmac.new(b"mailgun key", f"{stamp}{token}".encode(), sha256).hexdigest()
    signed = {"timestamp": stamp, "token": token, "signature": signature}
    return {}, json.dumps({"signature": signed, "event-data": data}).encode()


def resend(payload, *, stamp=STAMP, named="msg_1"):
    body = json.dumps(payload).encode()
    signature = b64encode(hmac.digest(b"a svix secret", f"{named}.{stamp}.".encode() + body, "sha256")).decode()
    return {"svix-id": named, "svix-timestamp": stamp, "svix-signature": f"v1,AAAA v1,{signature}"}, body


def ses(message, *, version="2", at=NOW, topic=TOPIC, **more):
    envelope = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": topic,
        "Message": json.dumps(message),
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}",
        "SignatureVersion": version,
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
    } | more
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    canonical = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    digest = {"1": SHA1, "2": SHA256}[version]()
    envelope["Signature"] = b64encode(RSA_KEY.sign(canonical.encode(), padding.PKCS1v15(), digest)).decode()
    return {"x-amz-sns-message-type": envelope["Type"]}, json.dumps(envelope).encode()


TABLES = {
    "sendgrid": {
        "public_key": b64encode(
            EC_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).decode()
    },
    "mailgun": {"signing_key": "mailgun key"},
    "resend": {"secret": "whsec_" + b64encode(b"a svix secret").decode()},
    "ses": {"topics": [TOPIC], "certificate": certificate()},
    "postmark": PASSWORD,
    "brevo": PASSWORD,
    "mailjet": PASSWORD,
}

HARD = {
    "sendgrid": sendgrid(
        [
            {
                "event": "bounce",
                "type": "bounce",
                "email": ADDRESS,
                "timestamp": int(STAMP),
                "smtp-id": OURS,
                "sg_event_id": "e1",
                "status": "5.1.1",
                "reason": "550 5.1.1 No such user",
            }
        ]
    ),
    "mailgun": mailgun(
        {
            "id": "e1",
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "recipient": ADDRESS,
            "timestamp": float(STAMP),
            "message": {"headers": {"message-id": OURS.strip("<>")}},
            "delivery-status": {"code": 550, "message": "5.1.1 No such user"},
        }
    ),
    "resend": resend(
        {
            "type": "email.bounced",
            "created_at": "2022-12-01T14:00:00.000Z",
            "data": {
                "to": [ADDRESS],
                "message_id": OURS,
                "bounce": {"type": "Permanent", "subType": "General", "message": "550 5.1.1 No such user"},
            },
        }
    ),
    "ses": ses(
        {
            "eventType": "Bounce",
            "mail": {"commonHeaders": {"messageId": OURS}, "destination": [ADDRESS]},
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "timestamp": "2022-12-01T14:00:00.000Z",
                "bouncedRecipients": [
                    {"emailAddress": ADDRESS, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
                ],
            },
        }
    ),
    "postmark": (
        BASIC,
        json.dumps(
            {
                "RecordType": "Bounce",
                "ID": 7,
                "Type": "HardBounce",
                "Email": ADDRESS,
                "BouncedAt": "2022-12-01T14:00:00Z",
                "Details": "smtp;550 5.1.1 The email account does not exist",
                "Metadata": {"message-id": OURS},
            }
        ).encode(),
    ),
    "brevo": (
        BASIC,
        json.dumps(
            {
                "event": "hard_bounce",
                "email": ADDRESS,
                "ts_event": int(STAMP),
                "message-id": OURS,
                "reason": "550 user unknown",
            }
        ).encode(),
    ),
    "mailjet": (
        BASIC,
        json.dumps(
            [
                {
                    "event": "bounce",
                    "time": int(STAMP),
                    "email": ADDRESS,
                    "MessageID": 9,
                    "CustomID": OURS,
                    "hard_bounce": True,
                    "error": "user unknown",
                }
            ]
        ).encode(),
    ),
}
