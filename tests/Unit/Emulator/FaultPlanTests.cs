using System.Runtime.CompilerServices;
using System.Text;
using WarpDrive.Emulator.Faults;

namespace WarpProxy.Tests.Unit.Emulator;

public sealed class FaultPlanTests
{
    [Fact]
    public void Plan_is_read()
    {
        FaultPlan plan = Parse("""
            { "seed": 7, "faults": [
                { "kind": "delay", "probability": 0.01, "seconds": 0.08, "from": 5, "until": 20 },   // comments are allowed
                { "kind": "error", "status": 5, "queues": [3, 4] } ] }
            """);
        Assert.Equal(7, plan.Seed);
        Assert.Equal((FaultKind.Delay, 0.01, 0.08, 5, 20), (plan.Faults[0].Kind, plan.Faults[0].Probability, plan.Faults[0].Seconds, plan.Faults[0].From, plan.Faults[0].Until!.Value));
        Assert.Equal((FaultKind.Error, 5), (plan.Faults[1].Kind, plan.Faults[1].Status));
        Assert.Equal([3, 4], plan.Faults[1].Queues);
    }

    [Theory]
    [InlineData("""{ "seed": 7 }""", "faults is empty; it must have at least one.")]
    [InlineData("null", "it is null; it must be an object with faults.")]
    [InlineData("""{ "faults": [] }""", "faults is empty; it must have at least one.")]
    [InlineData("""{ "faults": [{ "kind": "none" }] }""", "faults[0].kind is none; it must be one of delay, drop, wrong, zero, swap, error, stall, slow, reset, disconnect.")]
    [InlineData("""{ "faults": [{ "kind": "drop", "probability": 0 }] }""", "faults[0].probability is 0; it must be more than 0 and at most 1.")]
    [InlineData("""{ "faults": [{ "kind": "stall", "probability": 0.5 }] }""", "faults[0].probability is 0.5; stall does not happen to single operations, so it must be left out.")]
    [InlineData("""{ "faults": [{ "kind": "drop" }, { "kind": "drop", "from": -1 }] }""", "faults[1].from is -1; it must be 0 or more seconds.")]
    [InlineData("""{ "faults": [{ "kind": "drop", "from": 5, "until": 5 }] }""", "faults[0].until is 5; it must be more than from, which is 5.")]
    [InlineData("""{ "faults": [{ "kind": "drop", "queues": [1024] }] }""", "faults[0].queues has 1024; numbers of queues are 0 to 1023.")]
    [InlineData("""{ "faults": [{ "kind": "slow", "queues": [1] }] }""", "faults[0].queues is set; slow happens to all of them, so it must be left out.")]
    [InlineData("""{ "faults": [{ "kind": "delay" }] }""", "faults[0].seconds is 0; it must be more than 0, and at most 3600.")]
    [InlineData("""{ "faults": [{ "kind": "slow", "factor": 0.5 }] }""", "faults[0].factor is 0.5; it must be between 1 and 1000.")]
    [InlineData("""{ "faults": [{ "kind": "error" }] }""", "faults[0].status is 0; it must be between 1 and 15.")]
    [InlineData("""{ "faults": [{ "kind": "drop", "status": 3 }] }""", "faults[0].status is 3; drop has none, so it must be left out.")]
    public void Mistake_is_told_in_one_sentence(string json, string sentence) => Assert.Equal(sentence, Assert.Throws<FormatException>(() => Parse(json)).Message);

    [Theory]
    [InlineData("""{ "faults": [{ "kind": "explode" }] }""", "faults[0].kind cannot have this value; kinds are delay, drop, wrong, zero, swap, error, stall, slow, reset, disconnect.")]
    [InlineData("""{ "faults": [{ "kind": 3 }] }""", "faults[0].kind cannot have this value; kinds are delay, drop, wrong, zero, swap, error, stall, slow, reset, disconnect.")]
    [InlineData("""{ "faults": [{ "kind": "drop", "when": 3 }] }""", "The JSON property 'when' is not known.")]
    [InlineData("""{ "faults": [{ "kind": "drop" }], "seed": 1, "seed": 2 }""", "")]
    [InlineData("""{ "faults": [{ """, "")]
    public void What_is_no_plan_is_refused_with_its_place(string json, string reason)
    {
        string message = Assert.Throws<FormatException>(() => Parse(json)).Message;
        Assert.StartsWith("line 1, byte ", message);
        Assert.EndsWith(reason, message);
        Assert.DoesNotContain("WarpDrive", message);
    }

    [Fact]
    public void Example_of_the_documentation_is_a_plan()
    {
        string text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../emulator/README.md"));
        Assert.Equal(3, Parse(text.Split("```json")[1].Split("```")[0]).Faults.Count);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private static FaultPlan Parse(string json) => FaultPlan.Parse(Encoding.UTF8.GetBytes(json));
}
