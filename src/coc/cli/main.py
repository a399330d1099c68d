"""The command `coc`.

One file a subcommand, imported only when it is asked for, so that every command starts fast.
"""

import importlib

import rich_click as click

SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "up": ("coc.cli.up", "Start a development chain on this machine."),
    "init": ("coc.cli.init", "Create a data folder from a genesis file."),
    "node": ("coc.cli.node", "Run a node on a data folder."),
    "admin": ("coc.cli.admin", "Look at the peers of a running node, add, remove or ban some."),
    "import": ("coc.cli.import_", "Import blocks from a file."),
    "export": ("coc.cli.export", "Export blocks to a file."),
    "prove-finality": ("coc.cli.prove_finality", "Prove in one file that a block is final."),
    "verify-finality": ("coc.cli.verify_finality", "Verify such a file, without a chain."),
    "genesis": ("coc.cli.genesis", "Make the genesis file of a network."),
    "validator": ("coc.cli.validator", "Join and leave a network's validators."),
    "keys": ("coc.cli.keys", "Make and show the keys of a validator."),
    "wallet": ("coc.cli.wallet", "Make, import and list encrypted keys."),
    "db": ("coc.cli.db", "Look at a data folder, check it, rebuild it."),
    "evm": ("coc.cli.evm", "Run EVM tests and code, after go-ethereum's `evm`."),
    "signer": ("coc.cli.signer", "Hold a validator's key in a process of its own."),
    "sim": ("coc.cli.sim", "Run networks in a simulated world, by seed."),
    "version": ("coc.cli.version", "Print the version of COC and of what it is built on."),
}
"""Name of each subcommand, the module whose `command` it is, and its line in the help."""

_LISTING = "coc.listing"
"""Set in a context while the list of commands is written."""


class LazyGroup(click.RichGroup):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of `SUBCOMMANDS`."""
        del ctx
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None; while the list is written, a stand-in with its line."""
        entry = SUBCOMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, line = entry
        if ctx.meta.get(_LISTING):
            return click.RichCommand(name=cmd_name, help=line)
        try:
            command: click.Command = importlib.import_module(module).command
        except ImportError as error:
            click.echo(
                f"Error: `coc {cmd_name}` cannot be loaded: {error}\n"
                "  → in a clone of the project run `make setup`; elsewhere install the package again",
                err=True,
            )
            ctx.exit(1)
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help without importing a command: it is there before anything is built."""
        ctx.meta[_LISTING] = True
        super().format_help(ctx, formatter)  # type: ignore[arg-type]  # it is handed its own formatter


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """COC, ChainOfClaw: an EVM chain whose nodes earn by proving service."""
