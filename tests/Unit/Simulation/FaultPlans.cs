using WarpDrive.Emulator.Faults;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>Plans by chance.</summary>
internal static class FaultPlans
{
    /// <summary>A plan of at most four faults that are over within <paramref name="span"/>; now and then none.</summary>
    public static FaultPlan? Draw(Random random, TimeSpan span)
    {
        if (random.Next(8) == 0)
        {
            return null;
        }

        var faults = new Fault[random.Next(1, 5)];
        for (int i = 0; i < faults.Length; i++)
        {
            faults[i] = DrawOne(random, span.TotalSeconds);
        }

        return new FaultPlan { Seed = random.Next(), Faults = faults };
    }

    private static Fault DrawOne(Random random, double span)
    {
        FaultKind[] kinds = Enum.GetValues<FaultKind>();
        FaultKind kind = kinds[random.Next(1, kinds.Length)];
        double from = random.Next(2) == 0 ? 0 : random.NextDouble() * span;
        double until = random.Next(2) == 0 ? span : from + ((span - from) * random.NextDouble());
        var fault = new Fault { Kind = kind, From = from, Until = until };

        // Rare faults as often as those that meet every operation. Lost answers and wrong ones cost a queue or the device for a while.
        double[] probabilities = [1, 0.3, 0.1, 0.03];
        double probability = probabilities[random.Next(probabilities.Length)];
        int[] queues = random.Next(3) == 0 ? [random.Next(3)] : [];
        return kind switch
        {
            FaultKind.Delay => fault with { Probability = probability, Queues = queues, Seconds = random.Next(2) == 0 ? 0.005 : random.NextDouble() * 2 },
            FaultKind.Error => fault with { Probability = probability, Queues = queues, Status = random.Next(1, 16) },
            FaultKind.Drop or FaultKind.Wrong or FaultKind.Zero or FaultKind.Swap => fault with { Probability = probability, Queues = queues },
            FaultKind.Stall => fault with { Queues = queues, Until = Math.Min(until, from + (random.NextDouble() * 3)) },
            FaultKind.Slow => fault with { Factor = random.Next(2, 200) },
            FaultKind.Reset => fault with { Queues = queues, Seconds = random.Next(2) == 0 ? 0 : 0.5 + random.NextDouble() },
            _ => fault with { Seconds = random.Next(2) == 0 ? 0 : 0.5 + random.NextDouble() },
        };
    }
}
