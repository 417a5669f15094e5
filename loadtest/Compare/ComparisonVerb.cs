using System.CommandLine;
using WarpDrive.Linux;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Reports;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Compare;

/// <summary>What <c>compare</c> and <c>peers</c> do: they differ in the servers, and in which of them is the baseline.</summary>
internal static class ComparisonVerb
{
    /// <summary>Makes the command.</summary>
    /// <param name="name">The verb.</param>
    /// <param name="description">For the help.</param>
    /// <param name="baseline">Name of the server that the others are compared with.</param>
    /// <param name="arguments">Its options, with their defaults.</param>
    /// <param name="recipes">Makes the servers, given WarpProxy's programs.</param>
    public static Command Create(
        string name, string description, string baseline, ComparisonArguments arguments, Func<WarpProxyPrograms, IReadOnlyList<IServerRecipe>> recipes)
    {
        var command = new Command(name, description);
        arguments.AddTo(command);
        command.SetAction(parsed =>
        {
            try
            {
                return Run($"warp-loadtest {name}", baseline, arguments, parsed, recipes);
            }
            catch (LoadFailure failure)
            {
                Console.Error.WriteLine(failure.Message);
                return failure.ExitCode;
            }
            catch (LinuxException failure)
            {
                Console.Error.WriteLine(failure.Message);
                return LoadFailure.NothingMeasured;
            }
        });
        return command;
    }

    private static int Run(
        string title,
        string baseline,
        ComparisonArguments arguments,
        ParseResult parsed,
        Func<WarpProxyPrograms, IReadOnlyList<IServerRecipe>> recipes)
    {
        bool isJson = arguments.IsJson(parsed);
        string? report = arguments.Report(parsed);
        ReportFiles? files = report is null ? null : ReportFiles.Open(report);
        using var interruption = new Interruption();
        ComparisonResult result;
        using (LiveLine live = LiveLine.OnStandardError(isQuiet: isJson))
        using (var comparison = new Comparison(title, baseline, arguments.Plan(parsed), live, interruption))
        {
            result = comparison.Execute(recipes(arguments.Programs(parsed)));
        }

        files?.Write(result);
        Console.WriteLine(isJson ? ComparisonJson.WriteRows(result) : ComparisonText.Write(result));
        return interruption.ExitCodeOr(result is { Rows.Count: > 0, Failure: null } ? 0 : LoadFailure.NothingMeasured);
    }
}
