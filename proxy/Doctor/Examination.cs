using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace WarpProxy.Doctor;

/// <summary>Makes checks, one after the other, so that none disturbs what another measures. None of them can keep it longer than its limit.</summary>
internal sealed class Examination(IReadOnlyList<ICheck> checks)
{
    /// <summary>Makes them all.</summary>
    /// <returns>Findings, as they come.</returns>
    public IEnumerable<Finding> Run() => checks.SelectMany(Run);

    private static IEnumerable<Finding> Run(ICheck check)
    {
        // Not disposed: a check that takes too long still writes into it.
        var findings = new BlockingCollection<Finding>();
        var thread = new Thread(() => Collect(check, findings)) { IsBackground = true, Name = $"doctor {check.Name}" };
        long begun = Stopwatch.GetTimestamp();
        thread.Start();
        while (!findings.IsCompleted)
        {
            TimeSpan left = check.Limit - Stopwatch.GetElapsedTime(begun);
            if (findings.TryTake(out Finding? finding, left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                yield return finding;
            }
            else if (!findings.IsCompleted && Stopwatch.GetElapsedTime(begun) >= check.Limit)
            {
                yield return Finding.Failed(
                    check.Name,
                    check.Subject,
                    string.Create(CultureInfo.InvariantCulture, $"not done within {check.Limit.TotalSeconds:0.#} s"),
                    "Something that was asked does not answer, or this machine is far too busy");
                yield break;
            }
        }
    }

    private static void Collect(ICheck check, BlockingCollection<Finding> findings)
    {
        try
        {
            foreach (Finding finding in check.Run())
            {
                findings.Add(finding);
            }
        }
#pragma warning disable CA1031 // Whatever a check meets on a sick machine, the others are made.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            findings.Add(Finding.Failed(check.Name, check.Subject, $"the check broke off: {exception.Message.TrimEnd('.')}", null));
        }
        finally
        {
            findings.CompleteAdding();
        }
    }
}
