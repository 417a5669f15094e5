using System.Diagnostics.CodeAnalysis;

namespace WarpDrive.Engines;

/// <summary>
/// Known answers for every size and both algorithms, asked of an engine before it is trusted with keys: at start, and before a
/// device that was taken out of service returns. The keys are nobody's secrets.
/// </summary>
public static class EngineSelfTest
{
    // The vector's own, 0, 1 and n - 1: the last three are their own powers, since private exponents are odd.
    private const int InputKinds = 4;

    /// <summary>
    /// Whether the engine computes right, in every lane. Sizes and algorithms that it calls <see cref="RsaStatus.Unsupported"/> are
    /// passed over, as long as it computes something. What <see cref="IRsaEngine.Execute"/> throws comes through.
    /// </summary>
    /// <param name="engine">In nobody else's use meanwhile.</param>
    /// <param name="failure">What went wrong first: <c>Crt 2048 bits, operation 3 of 8: the number is wrong.</c></param>
    public static bool Run(IRsaEngine engine, [NotNullWhen(false)] out string? failure)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (engine is PlannedEngine planned)
        {
            // A plan may give any operation to either of the two, so what it does with these batches says little.
            return Run(planned.Simd, out failure) && Run(planned.Scalar, out failure);
        }

        int lanes = Math.Max(engine.Lanes, InputKinds);
        int half = engine.Lanes / 2;
        int capacity = Math.Max(lanes, KnownAnswer.All.Length * 2);
        var batch = new OperationBatch(capacity, new byte[OperationBatch.StorageBytes(capacity)]);
        int computed = 0;
        failure = null;
        foreach (KnownAnswer answer in KnownAnswer.All)
        {
            foreach (RsaAlgorithm algorithm in (ReadOnlySpan<RsaAlgorithm>)[RsaAlgorithm.Crt, RsaAlgorithm.Plain])
            {
                // First one number in all lanes, then lanes of different numbers, then half of them idle, as often as asks them all.
                int steps = 2 + (half == 0 ? 0 : ((InputKinds - 1) / half) + 1);
                for (int step = 0; step < steps && failure is null; step++)
                {
                    batch.Clear();
                    for (int lane = 0; lane < (step < 2 ? lanes : half); lane++)
                    {
                        Add(batch, answer, algorithm, InputKind(lane, step, half));
                    }

                    failure = Ask(engine, batch, index => (answer, InputKind(index, step, half)), ref computed);
                }
            }
        }

        // All of them together: nothing of one operation may reach its neighbour.
        batch.Clear();
        foreach (KnownAnswer answer in KnownAnswer.All)
        {
            Add(batch, answer, RsaAlgorithm.Crt, inputKind: 0);
            Add(batch, answer, RsaAlgorithm.Plain, inputKind: 0);
        }

        failure ??= Ask(engine, batch, index => (KnownAnswer.All[index / 2], 0), ref computed);
        failure ??= AskForKeys(engine, batch, ref computed);
        if (failure is null && computed == 0)
        {
            failure = "It computes no size and no algorithm.";
        }

        return failure is null;
    }

    private static int InputKind(int lane, int step, int half) =>
        step == 0 ? 0 : (lane + (Math.Max(0, step - 2) * half)) % InputKinds;

    private static void Add(OperationBatch batch, KnownAnswer answer, RsaAlgorithm algorithm, int inputKind)
    {
        int index = batch.Add(algorithm, answer.Input.Length);
        (algorithm == RsaAlgorithm.Crt ? answer.CrtKey : answer.PlainKey).CopyTo(batch.Key(index));
        Number(answer, inputKind, answer.Input, batch.Input(index));

        // An engine that writes nothing shall not be right by what an earlier batch left here.
        batch.Output(index).Fill(0xA5);
    }

    private static string? Ask(
        IRsaEngine engine, OperationBatch batch, Func<int, (KnownAnswer Answer, int InputKind)> asked, ref int computed)
    {
        engine.Execute(batch);
        Span<byte> expected = stackalloc byte[KnownAnswer.MaxModulusBytes];
        for (int index = 0; index < batch.Count; index++)
        {
            RsaOperation operation = batch[index];
            if (operation.Status == RsaStatus.Unsupported)
            {
                continue;
            }

            computed++;
            (KnownAnswer answer, int inputKind) = asked(index);
            Number(answer, inputKind, answer.Output, expected[..operation.ModulusBytes]);
            bool right = batch.Output(index).SequenceEqual(expected[..operation.ModulusBytes]);
            if (operation.Status != RsaStatus.Done || !right)
            {
                return Sentence(batch, index);
            }
        }

        return null;
    }

    /// <summary>Has every key made once in each way, of its primes.</summary>
    private static string? AskForKeys(IRsaEngine engine, OperationBatch batch, ref int computed)
    {
        foreach (KnownAnswer answer in KnownAnswer.All)
        {
            batch.Clear();
            foreach (RsaAlgorithm algorithm in (ReadOnlySpan<RsaAlgorithm>)[RsaAlgorithm.KeyGeneration, RsaAlgorithm.KeyGenerationCrt])
            {
                int index = batch.Add(algorithm, answer.Input.Length);
                answer.Primes.CopyTo(batch.Key(index));
                batch.Output(index).Fill(0xA5);
            }

            engine.Execute(batch);
            for (int index = 0; index < batch.Count; index++)
            {
                if (batch[index].Status != RsaStatus.Unsupported)
                {
                    computed++;
                    bool right = batch.Output(index).SequenceEqual(answer.MadeKey.AsSpan(0, batch.Output(index).Length));
                    if (batch[index].Status != RsaStatus.Done || !right)
                    {
                        return Sentence(batch, index);
                    }
                }
            }
        }

        return null;
    }

    private static string Sentence(OperationBatch batch, int index)
    {
        RsaOperation operation = batch[index];
        string what = operation.Status == RsaStatus.Done ? "the number is wrong" : $"it ended as {operation.Status}";
        return $"{operation.Algorithm} {operation.ModulusBytes * 8} bits, operation {index + 1} of {batch.Count}: {what}.";
    }

    /// <summary>Writes the number of a kind: the vector's own, 0, 1 or n - 1.</summary>
    private static void Number(KnownAnswer answer, int kind, byte[] own, Span<byte> to)
    {
        to.Clear();
        switch (kind)
        {
            case 0:
                own.CopyTo(to);
                break;
            case 2:
                to[^1] = 1;
                break;
            case 3:
                answer.Modulus.CopyTo(to);
                to[^1]--; // n is odd: no borrow
                break;
        }
    }
}
