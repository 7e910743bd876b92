from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import NO_END, Cases


def error(code: int, message: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, "data": {"reason": "x"}}, "usDiff": 36}


DERIBIT = Cases(
    exchange="deribit",
    reads=frozenset({"GET /api/v2/private/list_api_keys", "GET /api/v2/private/get_account_summaries"}),
    shown=(
        (Rights(), Permissions(True, True, False, False, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, False, False)),
        (Rights(withdraw=True), Permissions(True, True, True, True, True)),
    ),
    reasons={
        State.WRONG_SITE: Reason.INVALID_KEY,
        # one word for all of them
        State.IP_BLOCKED: Reason.INVALID_KEY,
        State.BAD_SIGNATURE: Reason.INVALID_KEY,
        # a key that may not read the account is alive, and may trade
        State.NO_RIGHT: Reason.OK,
    },
    lacks={State.EXPIRED: NO_END},
    rulings=(
        (401, error(13009, "unauthorized"), Reason.INVALID_KEY),
        (400, error(13004, "invalid_credentials"), Reason.INVALID_KEY),
        (400, error(10000, "authorization_required"), Reason.INVALID_KEY),
        (403, error(13021, "forbidden"), Reason.PERMISSION),
        (400, error(11042, "permission_denied"), Reason.PERMISSION),
        (400, error(13002, "account_blocked"), Reason.ACCOUNT_DISABLED),
        (400, error(9999, "api_not_enabled"), Reason.ACCOUNT_DISABLED),
        (400, error(12005, "country_is_banned"), Reason.REGION_BLOCKED),
        (429, error(10028, "too_many_requests"), Reason.RATE_LIMITED),
        (503, error(11051, "system_maintenance"), Reason.EXCHANGE_DOWN),
        (400, error(10041, "settlement_in_progress"), Reason.EXCHANGE_DOWN),
        (400, error(13028, "temporarily_unavailable"), Reason.EXCHANGE_DOWN),
        (400, error(12003, "login_over_limit"), Reason.BAD_RESPONSE),
        (400, error(10018, "non_pme_max_future_position_size"), Reason.BAD_RESPONSE),
        (400, error(-32602, "Invalid params"), Reason.BAD_RESPONSE),
        (200, {"jsonrpc": "2.0", "result": "ok"}, Reason.BAD_RESPONSE),
    ),
)

CASES = (DERIBIT,)
