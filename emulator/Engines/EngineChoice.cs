using System.Globalization;

namespace WarpDrive.Engines;

/// <summary>Which engine is asked for.</summary>
public enum EngineKind
{
    /// <summary>For each size and number of operations the one that measured faster on this CPU.</summary>
    Auto,

    /// <summary>OpenSSL's numbers, one operation after the other.</summary>
    Scalar,

    /// <summary>SIMD for all that it computes; needs AVX2 and FMA.</summary>
    Simd,
}

/// <summary>What serves private-key operations of one size.</summary>
/// <param name="Bits">Of the modulus.</param>
/// <param name="Plan">By the number of operations that wait together.</param>
/// <param name="Reason">For people: <c>SIMD from 2 operations (scalar 213 us, 4 together 401 us, 8 together 795 us)</c>.</param>
public sealed record SizeChoice(int Bits, BatchPlan Plan, string Reason)
{
    /// <summary><c>simd</c> where some operations go to the SIMD engine, else <c>scalar</c>.</summary>
    public string Engine => Plan.SimdFrom is null ? "scalar" : "simd";
}

/// <summary>Which engine computes what, and why: made once at the start, by measuring unless told otherwise.</summary>
public sealed class EngineChoice
{
    private static readonly Lazy<EngineChoice> Measured = new(
        () => Measure(() => new ScalarEngine(), () => new SimdEngine(), CalibrationFile.Default(), ThreadClock.Read));

    private readonly Func<ISelectiveEngine> _createScalar;
    private readonly Func<ISelectiveEngine> _createSimd;

    private EngineChoice(
        EngineKind asked, string source, Func<ISelectiveEngine> createScalar, Func<ISelectiveEngine> createSimd, IReadOnlyList<SizeChoice> sizes)
    {
        Asked = asked;
        Source = source;
        _createScalar = createScalar;
        _createSimd = createSimd;
        Sizes = sizes;
    }

    /// <summary>What was asked for.</summary>
    public EngineKind Asked { get; }

    /// <summary>What it stands on, for people: <c>measured at this start</c>.</summary>
    public string Source { get; }

    /// <summary>One for each size that the SIMD engine computes, smallest first. Other operations are scalar.</summary>
    public IReadOnlyList<SizeChoice> Sizes { get; }

    /// <summary>Why the SIMD engine is out of service although it was to be used; null: it is not.</summary>
    public string? Failure { get; private init; }

    /// <summary>Whether any operation goes to the SIMD engine.</summary>
    public bool UsesSimd => Sizes.Any(size => size.Plan.SimdFrom is not null);

    /// <summary>Why an engine that was asked for cannot be had on this CPU, as the end of a sentence; null: it can.</summary>
    public static string? FindObstacle(EngineKind kind) =>
        kind == EngineKind.Simd && !SimdEngine.IsSupported ? "needs AVX2 and FMA, which this CPU lacks; allowed are auto and scalar" : null;

    /// <summary>Makes the choice. The first call that has to measure takes about a third of a second; all of a process share its result.</summary>
    /// <exception cref="ArgumentException">The engine cannot be had here; see <see cref="FindObstacle"/>.</exception>
    /// <exception cref="DllNotFoundException">There is no libcrypto.so.3.</exception>
    /// <exception cref="InvalidOperationException">OpenSSL refused to start or had no memory.</exception>
    public static EngineChoice Make(EngineKind asked)
    {
        if (FindObstacle(asked) is { } obstacle)
        {
            throw new ArgumentException($"{asked} {obstacle}.", nameof(asked));
        }

        return asked switch
        {
            EngineKind.Scalar => Fixed(asked, BatchPlan.Scalar, "asked for", "scalar (asked for)"),
            EngineKind.Simd => Fixed(asked, BatchPlan.Simd(SimdWidth.Best!.Lanes), "asked for", "SIMD (asked for)"),
            _ when !SimdEngine.IsSupported => Fixed(asked, BatchPlan.Scalar, "no AVX2 and FMA on this CPU", "scalar (no AVX2 and FMA on this CPU)"),
            _ => Measured.Value,
        };
    }

    /// <summary>An engine that computes by this choice; the caller disposes it.</summary>
    public IRsaEngine CreateEngine()
    {
        ISelectiveEngine scalar = _createScalar();
        if (!UsesSimd)
        {
            return scalar;
        }

        try
        {
            return new PlannedEngine(scalar, _createSimd(), Sizes.ToDictionary(size => size.Bits, size => size.Plan));
        }
        catch
        {
            scalar.Dispose();
            throw;
        }
    }

    /// <summary>The choice that is left when the SIMD engine proves wrong: scalar for everything.</summary>
    /// <param name="failure">What it did; a sentence.</param>
    public EngineChoice WithoutSimd(string failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return new EngineChoice(
            Asked,
            "the SIMD engine failed",
            _createScalar,
            _createSimd,
            SameForAll(BatchPlan.Scalar, $"scalar (the SIMD engine failed: {failure.TrimEnd('.')})"))
        {
            Failure = failure,
        };
    }

    /// <summary>For people, sizes of one reason together: <c>RSA-2048, RSA-3072, RSA-4096: scalar (no AVX2 and FMA on this CPU)</c>.</summary>
    public override string ToString() => string.Join("; ", Sizes.GroupBy(size => size.Reason).Select(group =>
        $"{string.Join(", ", group.Select(size => string.Create(CultureInfo.InvariantCulture, $"RSA-{size.Bits}")))}: {group.Key}"));

    /// <summary>By times from the file, or measured and kept there.</summary>
    internal static EngineChoice Measure(
        Func<ISelectiveEngine> createScalar, Func<ISelectiveEngine> createSimd, CalibrationFile? file, Func<TimeSpan> readClock)
    {
        using ISelectiveEngine scalar = createScalar();
        using ISelectiveEngine simd = createSimd();
        int lanes = simd.Lanes;
        string conditions = CalibrationConditions.Read(scalar, simd);
        if (file?.Read(conditions) is { } kept)
        {
            return FromTimes(kept, $"measured at an earlier start, kept in {file.Path}");
        }

        EngineTimes[] times = [];
        string? failure;
        try
        {
            EngineCalibration.TryMeasure(scalar, simd, readClock, out times, out failure);
        }
#pragma warning disable CA1031 // Whatever it throws, it is not used.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            failure = thrown.Message;
        }

        if (failure is not null)
        {
            return FromTimes([], "").WithoutSimd(failure);
        }

        bool isKept = file is not null && file.TryWrite(conditions, times);
        return FromTimes(times, isKept ? $"measured at this start, kept in {file!.Path}" : "measured at this start, kept nowhere");

        EngineChoice FromTimes(EngineTimes[] measured, string source) => new(
            EngineKind.Auto, source, createScalar, createSimd, [.. measured.Select((time, index) => Choose(EngineCalibration.Sizes[index], time, lanes))]);
    }

    private static SizeChoice Choose(int bits, EngineTimes times, int lanes)
    {
        var plan = BatchPlan.FromTimes(times, lanes);
        string engine = plan.SimdFrom switch
        {
            null => "scalar",
            1 => "SIMD always",
            int from => string.Create(CultureInfo.InvariantCulture, $"SIMD from {from} operations"),
        };
        return new SizeChoice(bits, plan, $"{engine} ({times.Describe(lanes)})");
    }

    private static EngineChoice Fixed(EngineKind asked, BatchPlan plan, string source, string reason) =>
        new(asked, source, () => new ScalarEngine(), () => new SimdEngine(), SameForAll(plan, reason));

    private static SizeChoice[] SameForAll(BatchPlan plan, string reason) => [.. EngineCalibration.Sizes.ToArray().Select(bits => new SizeChoice(bits, plan, reason))];
}
