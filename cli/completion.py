"""`registry completion`."""

import click

from cli.options import verbose_option


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@verbose_option
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print what a shell needs to complete commands and options with Tab.

    \b
    Example: registry completion bash > ~/.local/share/bash-completion/completions/registry
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the three above are built in
    click.echo(kind(context.find_root().command, {}, "registry", "_REGISTRY_COMPLETE").source())
    return 0
