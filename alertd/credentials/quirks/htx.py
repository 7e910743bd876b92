"""HTX: one code for every cause, so its text decides; the key's entry is asked for by the user's number."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import at, days_left, listed, parts, restricted, said, word
from alertd.credentials.quirks.shape import PERMISSION_ONLY, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

RIGHTS: Final = frozenset({"readOnly", "trade", "withdraw"})
REFUSED: Final = "api-signature-not-valid"
# What the look-up of a key says where it is not for this user.
NOT_FOR_US: Final = frozenset({"1002", "2002", "2003"})


def user(body: object) -> Permissions | None:
    good = word(body, "code") == "200" and word(body, "data")
    return Permissions(read=True) if good else None


def own_entry(secret: Secret, earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"uid": word(earlier[0] if earlier else None, "data"), "accessKey": secret.api_key}


def our_key(body: object, secret: Secret) -> object:
    entries = listed(body, "data") or ()
    return next((entry for entry in entries if word(entry, "accessKey") == secret.api_key), body)


def key_facts(entry: object) -> Permissions | None:
    rights = parts(entry, "permission")
    if not rights & RIGHTS or word(entry, "status") not in {"", "normal"}:
        return None
    addresses = at(entry, "ipAddresses")
    return Permissions(
        read="readOnly" in rights,
        trade="trade" in rights,
        withdraw="withdraw" in rights,
        ip_restricted=None if addresses is None else restricted(parts(entry, "ipAddresses")),
    )


def accounts(body: object) -> Permissions | None:
    good = word(body, "status") == "ok" and listed(body, "data") is not None
    return Permissions(read=True) if good else None


def refusal(body: object) -> Said:
    code = word(body, "err-code") or word(body, "err_code") or word(body, "code")
    if not code and word(body, "accessKey"):
        return said(f"status {word(body, 'status')}", "")
    return said(code, word(body, "err-msg") or word(body, "err_msg") or word(body, "message"))


ERRORS: Final = (
    on(Reason.CLOCK_SKEW, REFUSED, says=("submission time", "time format")),
    on(Reason.INVALID_KEY, REFUSED, says=("incorrect access key",)),
    on(Reason.IP_RESTRICTED, REFUSED, says=("incorrect ip",)),
    on(Reason.EXPIRED, REFUSED, says=("expired",)),
    on(Reason.PERMISSION, REFUSED, says=("no permission",)),
    on(Reason.BAD_SECRET, REFUSED, says=("verification failure",)),
    # it might be our clock
    on(Reason.BAD_RESPONSE, REFUSED),
    on(Reason.BAD_SECRET, "api-signature-check-failed", "1003", "1253", "12008"),
    on(Reason.INVALID_KEY, "1002", "12007"),
    on(Reason.INVALID_KEY, "2002", says=("auth.fail",)),
    on(Reason.INVALID_KEY, "403", says=("access key",)),
    on(Reason.EXPIRED, "12004", "status expired"),
    on(Reason.IP_RESTRICTED, "12005"),
    on(Reason.IP_RESTRICTED, "2000", says=("invalid.ip", "invalid ip")),
    on(Reason.ACCOUNT_DISABLED, "1084"),
    # counted for each user
    on(Reason.RATE_LIMITED, "base-request-exceed-frequency-limit", stay_away=timedelta(seconds=5)),
    on(Reason.RATE_LIMITED, "rate-too-many-requests", "429", "510", "1006", "40403", stay_away=timedelta(seconds=5)),
    on(Reason.RATE_LIMITED, "invalid-parameter", says=("request limit",)),
    on(Reason.RATE_LIMITED, "bad-request", "4000", says=("too many request", "too.many.request")),
    on(Reason.EXCHANGE_DOWN, "system-maintenance", "gateway-internal-error", "base-system-error", "timeout", "500"),
    on(Reason.BAD_RESPONSE, "403", "1010", "1220"),
)

HTX: Final = Quirks(
    id="htx",
    ask=(
        Call(method="v2PrivateGetUserUid", good=user, enough=False),
        Call(
            method="v2PrivateGetUserApiKey",
            good=key_facts,
            params=own_entry,
            mine=our_key,
            lasts=lambda entry: days_left(entry, "validDays"),
            accepted=PERMISSION_ONLY,
            absent=NOT_FOR_US,
        ),
        Call(method="privateGetAccountAccounts", good=accounts),
    ),
    errors=ERRORS,
    read=refusal,
)

ENTRIES: Final = (HTX,)
