"""The public names of steadyflux; a name's module is loaded when the name is first used."""

from .ground.errors import AuditFailed as AuditFailed
from .ground.errors import InputError as InputError
from .ground.errors import ModelError as ModelError
from .ground.errors import NameUnknown as NameUnknown
from .ground.errors import NotConverged as NotConverged
from .ground.errors import SteadyfluxError as SteadyfluxError
from .ground.errors import UnitError as UnitError
from .ground.units import quantity as quantity

__version__: str
