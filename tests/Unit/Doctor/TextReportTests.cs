using WarpProxy.Doctor;

namespace WarpProxy.Tests.Unit.Doctor;

/// <summary>The lines for people.</summary>
public sealed class TextReportTests
{
    [Fact]
    public void Line_has_level_check_subject_what_was_seen_and_what_to_do() => Assert.Equal(
        "warning  memlock        a limit. Raise it.\n",
        Write(Finding.Warning("memlock", null, "a limit", "Raise it"), isColoured: false));

    [Fact]
    public void Subject_that_ends_with_a_colon_gets_no_second_one() =>
        Assert.Equal("ok       device         embedded: seen.\n", Write(Finding.Ok("device", "embedded:", "seen"), isColoured: false));

    [Fact]
    public void Only_the_level_has_a_colour() =>
        Assert.Equal("\u001b[31mfailed  \u001b[0m listener       public: in use.\n", Write(Finding.Failed("listener", "public", "in use", null), isColoured: true));

    [Fact]
    public void Names_of_others_move_no_cursor_and_begin_no_line() => Assert.Equal(
        "failed   listener       in use by ?[2Jnginx?failed.\n", Write(Finding.Failed("listener", null, "in use by \u001b[2Jnginx\nfailed", null), isColoured: false));

    private static string Write(Finding finding, bool isColoured)
    {
        using var text = new StringWriter();
        new TextReport(text, isColoured).Write(finding);
        return text.ToString();
    }
}
