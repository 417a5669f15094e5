using WarpProxy.Doctor;

namespace WarpProxy.Tests.Unit.Doctor;

/// <summary>Checks that hang or break off do not keep the others.</summary>
public sealed class ExaminationTests
{
    [Fact]
    public void Check_that_takes_too_long_fails_with_what_it_found_kept_and_the_next_is_made()
    {
        using var never = new ManualResetEvent(false);
        IEnumerable<Finding> Hang()
        {
            yield return Finding.Ok("slow", "a", "seen");
            never.WaitOne();
            yield return Finding.Ok("slow", "b", "never seen");
        }

        Finding[] findings = [.. new Examination(
            [new GivenCheck("slow", TimeSpan.FromSeconds(1), Hang, "emulator:/a.sock"), new GivenCheck("next", TimeSpan.FromMinutes(1), static () => [Finding.Ok("next", null, "seen")])]).Run()];

        // A busy machine may not even have come to the first.
        Assert.Contains(Finding.Failed("slow", "emulator:/a.sock", "not done within 1 s", "Something that was asked does not answer, or this machine is far too busy"), findings, WithoutValues.Instance);
        Assert.DoesNotContain(findings, static one => one.Subject == "b");
        Assert.Equal("next", findings[^1].Check);
        never.Set();
    }

    [Fact]
    public void Check_that_breaks_off_is_one_failed_finding_after_what_it_found()
    {
        static IEnumerable<Finding> Break()
        {
            yield return Finding.Ok("odd", null, "seen");
            throw new InvalidOperationException("Nobody expected this.");
        }

        Finding[] findings = [.. new Examination([new GivenCheck("odd", TimeSpan.FromMinutes(1), Break)]).Run()];
        Assert.Equal([FindingLevel.Ok, FindingLevel.Failed], findings.Select(static one => one.Level));
        Assert.Equal("the check broke off: Nobody expected this", findings[1].Seen);
    }

    [Fact]
    public void Findings_come_in_the_order_of_the_checks()
    {
        static IEnumerable<Finding> Three(string name) => Enumerable.Range(1, 3).Select(number => Finding.Ok(name, $"{number}", "seen"));
        Finding[] findings = [.. new Examination([new GivenCheck("a", TimeSpan.FromMinutes(1), () => Three("a")), new GivenCheck("b", TimeSpan.FromMinutes(1), () => Three("b"))]).Run()];
        Assert.Equal(["a1", "a2", "a3", "b1", "b2", "b3"], findings.Select(static one => one.Check + one.Subject));
    }

    private sealed class GivenCheck(string name, TimeSpan limit, Func<IEnumerable<Finding>> run, string? subject = null) : ICheck
    {
        public string Name => name;

        public string? Subject => subject;

        public TimeSpan Limit => limit;

        public IEnumerable<Finding> Run() => run();
    }

    private sealed class WithoutValues : IEqualityComparer<Finding>
    {
        public static readonly WithoutValues Instance = new();

        public bool Equals(Finding? left, Finding? right) =>
            (left?.Check, left?.Subject, left?.Level, left?.Seen, left?.Advice) == (right?.Check, right?.Subject, right?.Level, right?.Seen, right?.Advice);

        public int GetHashCode(Finding finding) => finding.Seen.GetHashCode(StringComparison.Ordinal);
    }
}
