"""The command line: list systems, run one or a model file, check them; errors are one sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from types import FrameType, ModuleType
from typing import Any

import click

from steadyflux import __version__
from steadyflux.ground.errors import InputError, NameUnknown, SteadyfluxError
from steadyflux.systems.catalog import listings

DONE, FAILED, BAD_INPUT, UNEXPECTED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 70, 130, 141


def _heavy(name: str) -> ModuleType:
    """A module of ours that needs JAX (half a second and more), loaded by the command that uses it.

    This is the one place where the program imports its own modules late: help, the list of systems and the version must
    answer at once.
    """
    return import_module(f"steadyflux.{name}")


class _Commands(click.Group):
    """A group that refuses an unknown command with the nearest known one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise NameUnknown("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="steadyflux")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.pass_context
def commands(ctx: click.Context, debug: bool) -> None:
    """Steady states, fluxes and entropy production of everything that flows.

    Exit codes: 0 done, 1 a check failed, 2 bad input, 3 not converged.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@commands.command()
def systems() -> None:
    """List every system: name, what it is, the seeds it grew from."""
    width = max((len(listing.name) for listing in listings()), default=0)
    for field in dict.fromkeys(listing.field for listing in listings()):
        click.echo(field)
        for listing in listings():
            if listing.field == field:
                seeds = f"  [{listing.seeds}]" if listing.seeds else ""
                click.echo(f"  {listing.name:<{width}}  {listing.line}{seeds}")


@commands.command()
@click.argument("target", metavar="NAME|FILE.toml")
@click.option("--set", "texts", metavar="NAME=VALUE", multiple=True, help="Set a value, with its unit or in SI.")
@click.option("--parameters", "values", metavar="FILE", help="TOML or JSON file of values; --set goes over it.")
@click.option("--json", "json_path", metavar="FILE|-", help="Write the result as JSON; - is the standard output.")
@click.option("--out", "folder", metavar="DIR", help="Write result.json, table.txt, figure.png and profiles.nc there.")
@click.option("--until", metavar="TIME", help="Follow it in time up to there, instead of solving for the steady state.")
@click.option("--every", metavar="TIME", help="Tell the answers so often (default: at some of the steps).")
@click.option("--checkpoint", metavar="FILE", help="Keep the run in this file from time to time.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the checkpoint, to the very same result; from the beginning where there is none yet.",
)
@click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
def run(
    target: str,
    texts: tuple[str, ...],
    values: str | None,
    json_path: str | None,
    folder: str | None,
    until: str | None,
    every: str | None,
    checkpoint: str | None,
    resume: bool,
    progress: bool | None,
) -> None:
    """Solve a system or a model file.

    A model file's results go to out/NAME when no --out is given. Examples:

    \b
      steadyflux run pore --set radius=3um
      steadyflux run channel.toml --set left.K+='140 mM' --json -
      steadyflux run rod --until '2 h' --every '10 min'
      steadyflux run long.toml --until 30d --checkpoint long.npz --resume
    """
    module = _heavy("run")
    from_file = module.settings_from_file(values) if values is not None else []
    settings = module.merged(from_file, module.settings_from_texts(texts))
    request = module.Request(until, every, checkpoint, resume)
    with _heavy("report.progress").progress_shown(target, progress) as observer:
        done = module.run(target, settings, request, observer)
    if json_path == "-":
        click.echo(_heavy("files.results").json_text(done.result), nl=False)
    else:
        _show(done.tables)
        if json_path is not None:
            _heavy("files.results").write_json(json_path, done.result)
            click.echo(f"Wrote {json_path}", err=True)
    if folder is not None:
        _say_written(done.write(folder))
    elif module.is_file(target):
        place = module.default_folder(target)
        try:
            _say_written(done.write(place))
        except InputError as error:  # nobody asked for this folder: the answer itself has been given
            click.echo(f"steadyflux: no files were written: {error.sentence()}", err=True)


def _say_written(paths: Sequence[Any]) -> None:
    click.echo(f"Wrote {', '.join(path.name for path in paths)} to {paths[0].parent}", err=True)


def _show(tables: Any, width: int = 120) -> None:
    """Print tables: coloured and as wide as the terminal, or plain where it is none."""
    if sys.stdout.isatty():
        import_module("rich.console").Console().print(tables)
    else:
        click.echo(_heavy("report.table").text_of(tables, width=width), nl=False)


@commands.command()
@click.argument("targets", metavar="[NAME|FILE.toml]...", nargs=-1)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes side by side (default: up to 4, for many targets)."
)
@click.pass_context
def check(ctx: click.Context, targets: tuple[str, ...], workers: int | None) -> None:
    """Check claims, ledger, entropy and derivatives of systems and model files (all systems when none is named)."""
    module = _heavy("run")
    chosen = list(dict.fromkeys(targets or [listing.name for listing in listings()]))
    # All names and files are read before the first check, which may take long: a misspelt one is refused at once.
    jobs = [(target, module.prepare_check(target)) for target in chosen]
    workers = workers or (min(4, os.cpu_count() or 1) if len(jobs) > 3 else 1)
    found: dict[str, list[Any]] = {}
    if workers > 1:
        click.echo(f"checking {len(jobs)} targets, {workers} side by side", err=True)
        for number, (target, findings_of) in enumerate(module.check_side_by_side(chosen, workers), 1):
            click.echo(f"checked {target} ({number} of {len(jobs)})", err=True)
            found[target] = findings_of
    else:
        for number, (target, check_it) in enumerate(jobs, 1):
            click.echo(f"checking {target} ({number} of {len(jobs)})", err=True)
            found[target] = check_it()
    findings = [(target, finding) for target in chosen for finding in found[target]]
    _show(_heavy("report.table").findings_table(findings), width=180)
    failed = [(target, finding) for target, finding in findings if not finding.passed]
    for target, finding in failed:
        click.echo(f"steadyflux: {target}: {finding.sentence()}", err=True)
    judged = sum(finding.judged for _, finding in findings)
    click.echo(f"{judged - len(failed)} of {judged} checks passed, {len(findings) - judged} left out", err=True)
    if failed:
        ctx.exit(FAILED)


@commands.command()
def doctor() -> None:
    """Tell which libraries are there, how to get the others, and where compiled programs are kept."""
    click.echo(f"steadyflux {__version__} on Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    for line in requires("steadyflux") or []:
        requirement, _, marker = line.partition(";")
        name = requirement.strip().split("[")[0]
        for sign in "<>=!~ (":
            name = name.split(sign)[0]
        extra = marker.partition("extra ==")[2].strip().strip("'\"")
        try:
            state = version(name)
        except PackageNotFoundError:
            state = f"missing: pip install 'steadyflux[{extra}]'" if extra else "missing: pip install steadyflux"
            state = "missing: see below" if extra == "petsc" else state
        click.echo(f"  {name:<18} {state}" + (f"  (extra: {extra})" if extra else ""))
    extras = _heavy("solve.extras")
    click.echo("further linear solvers, for sf.steady(model, solver=...):")
    for name, trouble in extras.states().items():
        solvers, purpose = ", ".join(extras.EXTRAS[name].solvers), extras.EXTRAS[name].purpose
        click.echo(f"  {solvers}: {purpose}")
        click.echo("    works here" if not trouble else f"    {trouble}; to install: {extras.recipe(name)}")
    cache = _heavy("ground.arithmetic").enable_compilation_cache()
    click.echo(f"compiled programs are kept in {cache}" if cache else "compiled programs are not kept")


def _terminated(number: int, frame: FrameType | None) -> None:
    # As an exception, so that files being written are taken away on the way out.
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every error becomes one sentence on the standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        signal.signal(signal.SIGTERM, _terminated)
    try:
        code = commands.main(args=given, prog_name="steadyflux", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except SteadyfluxError as error:
        return _tell(error.sentence(), error.exit_code)
    except click.ClickException as error:
        return _tell(error.format_message(), BAD_INPUT)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _tell("interrupted; files already written are whole", INTERRUPTED)
    except SystemExit as error:  # by click, with 1, when the reader of the output has gone; or by a signal
        return BROKEN_PIPE if error.code == 1 else int(error.code or DONE)
    except BrokenPipeError:
        # The reader has gone (a pager, head); Python would complain once more when it closes its output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except MemoryError:
        return _tell("the problem needs more memory than there is; ask for fewer cells", BAD_INPUT)
    except Exception as error:  # the last door: nothing may reach a user as a traceback unless asked for
        if "--debug" in given:
            traceback.print_exc()
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return _tell(f"unexpected error ({what}); please report it with the output of --debug", UNEXPECTED)


def _tell(sentence: str, code: int) -> int:
    click.echo("steadyflux: " + " ".join(sentence.split()), err=True)
    return code
