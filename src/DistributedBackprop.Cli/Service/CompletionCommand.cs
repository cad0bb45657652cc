using System.CommandLine;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop completion SHELL</c>: prints what makes a shell complete this command.</summary>
internal static class CompletionCommand
{
    // The command completes itself: [suggest:POSITION] LINE prints what could stand there.
    private const string Bash = """
        _backprop_complete() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(backprop "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _backprop_complete backprop
        """;

    private const string Zsh = """
        _backprop_complete() {
            local -a found
            found=("${(@f)$(backprop "[suggest:${#BUFFER}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a found
            _files
        }
        compdef _backprop_complete backprop
        """;

    private const string Pwsh = """
        Register-ArgumentCompleter -Native -CommandName backprop -ScriptBlock {
            param($word, $ast, $position)
            backprop "[suggest:$position]" "$ast" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "pwsh");
        var command = new Command("completion", "Print the script by which a shell completes this command, for its start file.") { shell };
        command.SetAction(parsed => Console.Out.WriteLine(parsed.GetValue(shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            _ => Pwsh,
        }));
        return command;
    }
}
