"""`web3_*` and the methods that speak of the interface itself: `rpc_modules` and `coc_rpcLimits`."""

from __future__ import annotations

from typing import Final

from coc.primitives import limits_rpc
from coc.primitives.types import format_data
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method
from coc.rpc.parameters import DATA, Parameter

_MODULE_VERSION: Final = "1.0"
_LIMIT_ENDINGS: Final = ("_MAX", "_MIN", "_MS", "_S")


def client_version(context: Context) -> Answer:
    """Name and version of this program."""
    return context.status.client_version


def sha3(context: Context, data: bytes) -> Answer:
    """Keccak-256, which is not the SHA3-256 of the standard."""
    return format_data(context.keccak256(data))


def modules(context: Context) -> Answer:
    """The namespaces that are served."""
    return {name.partition("_")[0]: _MODULE_VERSION for name in sorted(context.methods)}


def rpc_limits(context: Context) -> Answer:
    """Every bound of this interface by name; the name ends in its unit."""
    return {
        name: getattr(limits_rpc, name) for name in sorted(vars(limits_rpc)) if name.endswith(_LIMIT_ENDINGS)
    }


METHODS: Final = (
    Method("web3_clientVersion", client_version, returns="string", doc="Name and version of this program."),
    Method("web3_sha3", sha3, (Parameter("data", DATA),), returns="hash32", doc="Keccak-256 of some bytes."),
    Method(
        "rpc_modules", modules, returns="object, namespace to version", doc="The namespaces that are served."
    ),
    Method(
        "coc_rpcLimits",
        rpc_limits,
        returns="object, name to number",
        doc="Every bound of this interface; a name ends in its unit, the section on limits gives reasons.",
    ),
)
