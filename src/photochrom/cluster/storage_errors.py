"""What storages answer when something is wrong, as one line with what to do."""

from __future__ import annotations

from photochrom.errors import OutputError, PhotochromError, PhotoNotFoundError, UnreadablePhotoError
from photochrom.files.codecs.atomic import output_error

CREDENTIALS = (
    "For s3:// set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, for gs:// "
    "GOOGLE_APPLICATION_CREDENTIALS, for az:// AZURE_STORAGE_KEY; or run where the machine itself may"
)
ABSENT = ("no_such_key", "path does not exist", "no such file", "http status 404", "resource_not_found")
FORBIDDEN = ("access_denied", "accessdenied", "forbidden", "permission", "status 403", "unauthorized", "status 401")
# What an answer says in lower case, what that means, and what to do; the first that fits.
ANSWERS = (
    (
        (
            "no_such_bucket",
            "nosuchbucket",
            "bucket not found",
            "bucket does not exist",
            "containernotfound",
            "container does not exist",
        ),
        "there is no such bucket",
        "Check its name and region",
    ),
    (
        (
            "no credentials",
            "missing credentials",
            "could not find credentials",
            "anonymous",
            "defaultazurecredential",
            "failed to get token",
        ),
        "no credentials were found",
        CREDENTIALS,
    ),
    (
        (
            "invalid_access_key",
            "invalidaccesskeyid",
            "signature_does_not_match",
            "signaturedoesnotmatch",
            "expired",
            "authenticationfailed",
            "invalid_grant",
        ),
        "the credentials are not accepted",
        CREDENTIALS,
    ),
    (
        ("curlcode: 6,", "could not resolve", "couldn't resolve"),
        "the storage's address is not known",
        "Check the region, the endpoint and the network",
    ),
    (
        ("curlcode: 7,", "network_connection", "failed to connect", "connection refused", "n't connect", "not connect"),
        "the storage does not answer",
        "Check the endpoint and the network, and run again to go on",
    ),
    (("wrong_region", "permanentredirect", "status 301"), "the bucket is in another region", "Set AWS_REGION to it"),
)
WORTH_ANOTHER_TRY = (
    "slow_down", "slowdown", "internal_failure", "internalerror", "service_unavailable", "serviceunavailable",
    "timeout", "timed out", "curlcode: 28", "curlcode: 52", "curlcode: 56", "http status 500", "http status 503",
    "throttl", "too many requests", "http status 429", "connection reset", "request_timeout",
)  # fmt: skip


def is_worth_another_try(error: Exception) -> bool:
    """Return whether a request that failed may succeed a moment later: the storage is slow, or asks to slow down."""
    return not isinstance(error, FileNotFoundError) and _says(str(error).lower(), WORTH_ANOTHER_TRY)


def storage_error(error: Exception, where: str, *, writing: bool) -> PhotochromError:
    """Return the error to raise for a request that failed."""
    if isinstance(error, PhotochromError):
        return error
    if isinstance(error, OSError) and error.errno and writing and "://" not in where:
        return output_error(error, where)
    text = str(error).lower()
    kind = OutputError if writing else UnreadablePhotoError
    for answers, what, next_step in ANSWERS:
        if _says(text, answers):
            return kind(what, where=where, next_step=next_step)
    if isinstance(error, FileNotFoundError) or _says(text, ABSENT):
        return PhotoNotFoundError("there is no such object", where=where, next_step="Was it removed meanwhile?")
    if isinstance(error, PermissionError) or _says(text, FORBIDDEN):
        verb, right = ("written to", "put objects") if writing else ("read", "list and get objects")
        what = f"it may not be {verb} with these credentials"
        return kind(what, where=where, next_step=f"Ask for the right to {right}, or set others. {CREDENTIALS}")
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return kind(f"the storage failed ({first})", where=where, next_step="Run again to go on")


def _says(text: str, answers: tuple[str, ...]) -> bool:
    return any(answer in text for answer in answers)
