"""Where the operators' folder is: what the operator says, else the usual places, else the packaged defaults."""

from collections.abc import Mapping
from pathlib import Path

from ..messages.faults import Refused, fault

VARIABLE = "TONGGUAN_CONFIG"
DEFAULTS = Path(__file__).with_name("defaults")
EXAMPLES = Path(__file__).with_name("examples")

_HERE = "tongguan.d"
_SYSTEM = Path("/etc/tongguan")


def find_folder(option: Path | None, environ: Mapping[str, str], here: Path, system: Path = _SYSTEM) -> Path:
    """The operators' folder.

    ``option`` (from ``--config``) and the variable TONGGUAN_CONFIG are orders: a folder they name must exist, else this
    raises Refused. Otherwise it is ``tongguan.d`` in ``here``, the working directory, then ``/etc/tongguan``, then the
    defaults in the package.
    """
    named = option or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        folder = here / named
        if not folder.is_dir():
            raise Refused(fault("config-folder-missing", folder=str(folder)))
        return folder
    return next((folder for folder in (here / _HERE, system) if folder.is_dir()), DEFAULTS)
