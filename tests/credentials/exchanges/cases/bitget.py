from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

BITGET = Cases(
    exchange="bitget",
    falls_back=True,
    reads=frozenset({"GET /api/v2/spot/account/info", "GET /api/v3/account/info", "GET /api/v2/spot/account/assets"}),
    shown=(
        (Rights(), Permissions(True, True, False, None, True)),
        (Rights(trade=False, addresses=()), Permissions(True, False, False, None, False)),
        (Rights(withdraw=True, transfer=True), Permissions(True, True, True, True, True)),
    ),
    # Bitget has no word of its own for it
    reasons={State.EXPIRED: Reason.INVALID_KEY},
    rulings=(
        (400, {"code": "40006", "msg": "Invalid ACCESS_KEY"}, Reason.INVALID_KEY),
        (400, {"code": "40037", "msg": "Apikey does not exist"}, Reason.INVALID_KEY),
        (400, {"code": "40041", "msg": "The API key does not exist"}, Reason.INVALID_KEY),
        (400, {"code": "40009", "msg": "sign signature error"}, Reason.BAD_SECRET),
        (400, {"code": "40010", "msg": "sign signature error"}, Reason.BAD_SECRET),
        (400, {"code": "40010", "msg": "Request timed out"}, Reason.EXCHANGE_DOWN),
        (400, {"code": "40012", "msg": "apikey/password is incorrect"}, Reason.BAD_PASSPHRASE),
        (400, {"code": "40036", "msg": "passphrase is error"}, Reason.BAD_PASSPHRASE),
        (400, {"code": "40099", "msg": "exchange environment is incorrect"}, Reason.WRONG_ENVIRONMENT),
        (400, {"code": "40018", "msg": "Invalid IP"}, Reason.IP_RESTRICTED),
        (400, {"code": "40038", "msg": "The request ip is not in the ip whitelist"}, Reason.IP_RESTRICTED),
        (400, {"code": "40014", "msg": "Incorrect permissions"}, Reason.PERMISSION),
        (400, {"code": "40008", "msg": "Request timestamp expired"}, Reason.CLOCK_SKEW),
        (400, {"code": "40013", "msg": "User status is abnormal"}, Reason.ACCOUNT_DISABLED),
        (400, {"code": "40024", "msg": "account frozen"}, Reason.ACCOUNT_DISABLED),
        (400, {"code": "40024", "msg": "The currency is a regional currency"}, Reason.REGION_BLOCKED),
        (400, {"code": "40035", "msg": "please complete KYC"}, Reason.ACCOUNT_DISABLED),
        (429, {"code": "429", "msg": "Too Many Requests"}, Reason.RATE_LIMITED),
        (400, {"code": "40200", "msg": "Server upgrade, please try again later"}, Reason.EXCHANGE_DOWN),
        (400, {"code": "40015", "msg": "System is abnormal, please try again later"}, Reason.EXCHANGE_DOWN),
        (400, {"code": "40011", "msg": "ACCESS_PASSPHRASE cannot be empty"}, Reason.BAD_RESPONSE),
        (403, "<!DOCTYPE html> <html><head><title>Attention Required! | Cloudflare", Reason.EXCHANGE_DOWN),
        (200, {"code": "00000", "msg": "success", "data": {"userId": "1"}}, Reason.BAD_RESPONSE),
    ),
)

CASES = (BITGET,)
