using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace WarpProxy.Doctor;

/// <summary>Findings for programs: one document, described in docs/doctor.md. What is there stays; more may come.</summary>
/// <param name="FormatVersion">Changes when something that was there goes, or has another meaning.</param>
/// <param name="Program">The version of the program.</param>
/// <param name="Time">When the document was written.</param>
/// <param name="Result">The worst level.</param>
/// <param name="Ok">How many findings there are of this level.</param>
/// <param name="Warning">Likewise.</param>
/// <param name="Failed">Likewise.</param>
/// <param name="Findings">In the order of the checks.</param>
internal sealed record JsonReport(
    int FormatVersion, string Program, DateTime Time, FindingLevel Result, int Ok, int Warning, int Failed, IReadOnlyList<Finding> Findings)
{
    private const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,

        // For terminals and files; it is never put into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Makes it of all findings.</summary>
    public static JsonReport Of(IReadOnlyList<Finding> findings, DateTimeOffset time) => new(
        CurrentFormat,
        typeof(JsonReport).Assembly.GetName().Version!.ToString(3),
        time.UtcDateTime,
        findings.Max(static finding => finding.Level),
        Count(findings, FindingLevel.Ok),
        Count(findings, FindingLevel.Warning),
        Count(findings, FindingLevel.Failed),
        findings);

    /// <summary>The document.</summary>
    public string Write() => JsonSerializer.Serialize(this, Format);

    private static int Count(IReadOnlyList<Finding> findings, FindingLevel level) => findings.Count(finding => finding.Level == level);
}
