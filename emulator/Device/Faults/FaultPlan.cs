using System.Text.Json;
using System.Text.Json.Serialization;

namespace WarpDrive.Emulator.Faults;

/// <summary>
/// What is to go wrong in an emulated device, for tests of whoever uses it. JSON:
/// <code>
/// { "seed": 7, "faults": [ { "kind": "delay", "probability": 0.01, "seconds": 0.08, "from": 5, "until": 20 }, { "kind": "drop", "queues": [3] } ] }
/// </code>
/// The same seed and the same operations in the same order make the same faults.
/// </summary>
public sealed record FaultPlan
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter<FaultKind>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    private static string Kinds => string.Join(", ", Enum.GetNames<FaultKind>().Skip(1).Select(static name => name.ToLowerInvariant()));

    /// <summary>Chooses the operations.</summary>
    public int Seed { get; init; }

    /// <summary>At least one.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>Reads a plan.</summary>
    /// <exception cref="FormatException">It is no plan; the message is one sentence for the first mistake.</exception>
    public static FaultPlan Parse(ReadOnlySpan<byte> json)
    {
        FaultPlan? plan;
        try
        {
            plan = JsonSerializer.Deserialize<FaultPlan>(json, Format);
        }
        catch (JsonException mistake)
        {
            // The reader counts lines from 0, people from 1. Its words name types of this program where a value is of another kind.
            string words = mistake.Message.Split(" Path:")[0].Split(" LineNumber:")[0].TrimEnd('.');
            string reason = !words.Contains("WarpDrive", StringComparison.Ordinal) && !words.Contains("System.", StringComparison.Ordinal) ? words
                : words.StartsWith("The JSON property", StringComparison.Ordinal) ? $"{words.Split(" could")[0]} is not known"
                : $"{mistake.Path?.TrimStart('$', '.')} cannot have this value; kinds are {Kinds}";
            throw new FormatException($"line {mistake.LineNumber + 1}, byte {mistake.BytePositionInLine + 1}: {reason}.", mistake);
        }

        return (plan?.Validate() ?? ["it is null; it must be an object with faults."]).FirstOrDefault() is { } problem
            ? throw new FormatException(problem)
            : plan!;
    }

    private IEnumerable<string> Validate() => Faults.Count == 0
        ? ["faults is empty; it must have at least one."]
        : Faults.SelectMany(static (fault, index) => fault.Kind == FaultKind.None
            ? [$"faults[{index}].kind is none; it must be one of {Kinds}."]
            : fault.Validate($"faults[{index}]"));
}
