using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Measuring, with engines that say themselves how long they take.</summary>
public sealed class EngineChoiceTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("engine-choice");
    private readonly CalibrationFile _file;
    private readonly CountingEngine _scalar = new(1, RsaStatus.Done, (count, batch) => count * ScalarTime(batch));
    private CountingEngine _simd = new(8, RsaStatus.Done, (count, batch) => (count <= 4 ? 1 : 2) * 2.1 * (Bits(batch) == 2048 ? ScalarTime(batch) : 500));

    public EngineChoiceTests() => _file = new CalibrationFile(Path.Combine(_directory.FullName, "sub", "times.json"));

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Each_size_gets_the_engine_that_is_faster_for_it_with_the_times_as_the_reason()
    {
        EngineChoice choice = Measure();
        Assert.Equal(
            [
                (2048, "simd", "SIMD from 3 operations (scalar 200 us, 4 together 420 us, 8 together 840 us)"),
                (3072, "scalar", "scalar (scalar 250 us, 4 together 1050 us, 8 together 2100 us)"),
                (4096, "simd", "SIMD always (scalar 4000 us, 4 together 1050 us, 8 together 2100 us)"),
            ],
            choice.Sizes.Select(size => (size.Bits, size.Engine, size.Reason)));
        Assert.True(choice.UsesSimd);
        Assert.Equal(EngineKind.Auto, choice.Asked);
        Assert.Equal($"measured at this start, kept in {_file.Path}", choice.Source);
    }

    [Fact]
    public void Engine_of_four_lanes_is_measured_with_two_and_four_operations()
    {
        _simd = new CountingEngine(4, RsaStatus.Done, (count, _) => count <= 2 ? 250 : 510);
        EngineChoice choice = Measure();
        Assert.Equal("SIMD from 2 operations (scalar 200 us, 2 together 250 us, 4 together 510 us)", choice.Sizes[0].Reason);
        Assert.Equal(4, choice.CreateEngine().Lanes);
        Assert.Equal([1, 2, 4], _simd.Calls.Select(call => call.Length).Distinct().Order());
    }

    [Fact]
    public void Slow_moments_do_not_count_when_a_round_without_one_follows()
    {
        // Ten calls a round: others of them are slow in each.
        int calls = 0;
        _simd = new CountingEngine(8, RsaStatus.Done, (count, _) => (count <= 4 ? 420 : 840) + (calls++ % 7 == 0 ? 5000 : 0));
        Assert.All(Measure().Sizes, size => Assert.Contains("4 together 420 us, 8 together 840 us", size.Reason));
    }

    [Fact]
    public void Second_start_reads_what_the_first_one_kept_and_measures_nothing()
    {
        string first = Measure().ToString();
        int calls = _scalar.Calls.Count + _simd.Calls.Count;
        EngineChoice second = Measure();
        Assert.Equal(first, second.ToString());
        Assert.Equal(calls, _scalar.Calls.Count + _simd.Calls.Count);
        Assert.Equal($"measured at an earlier start, kept in {_file.Path}", second.Source);
    }

    [Fact]
    public void Measuring_ends_also_when_the_clock_stands_still()
    {
        _simd = new CountingEngine(8);
        using var scalar = new CountingEngine(1);
        Assert.True(EngineCalibration.TryMeasure(scalar, _simd, () => TimeSpan.Zero, out EngineTimes[] times, out _));
        Assert.Equal(3, times.Length);
    }

    [Fact]
    public void Where_nothing_can_be_kept_each_start_measures()
    {
        EngineChoice choice = EngineChoice.Measure(() => _scalar, () => _simd, null, Clock);
        Assert.Equal("measured at this start, kept nowhere", choice.Source);
        Assert.Equal(Measure().ToString(), choice.ToString());
    }

    [Theory]
    [InlineData(RsaStatus.Failed)]
    [InlineData(RsaStatus.Unsupported)]
    public void Engine_that_does_not_compute_while_it_is_measured_is_not_used_and_not_kept(RsaStatus status)
    {
        _simd = new CountingEngine(8, status, (_, _) => 1);
        EngineChoice choice = Measure();
        Assert.False(choice.UsesSimd);
        Assert.Equal($"counting (8 lanes): RSA-2048, operation 1 of 8: it ended as {status}.", choice.Failure);
        Assert.Equal(
            $"RSA-2048, RSA-3072, RSA-4096: scalar (the SIMD engine failed: counting (8 lanes): RSA-2048, operation 1 of 8: it ended as {status})", choice.ToString());
        Assert.False(File.Exists(_file.Path));
    }

    [Fact]
    public void Engine_that_throws_while_it_is_measured_is_not_used()
    {
        _simd = new CountingEngine(8, RsaStatus.Done, (_, _) => throw new InvalidOperationException("It burns."));
        EngineChoice choice = Measure();
        Assert.Equal("It burns.", choice.Failure);
        Assert.Same(_scalar, choice.CreateEngine());
    }

    [Fact]
    public void Engine_of_the_choice_has_both_only_where_SIMD_is_used()
    {
        EngineChoice choice = Measure();
        PlannedEngine engine = Assert.IsType<PlannedEngine>(choice.CreateEngine());
        Assert.Equal(("counting (8 lanes) and counting (1 lanes)", 8), (engine.Name, engine.Lanes));
        Assert.Same(_scalar, choice.WithoutSimd("It is wrong.").CreateEngine());
    }

    [Fact]
    public void Scalar_engine_that_was_asked_for_computes_everything()
    {
        EngineChoice choice = EngineChoice.Make(EngineKind.Scalar);
        using IRsaEngine engine = choice.CreateEngine();
        Assert.IsType<ScalarEngine>(engine);
        Assert.Equal("RSA-2048, RSA-3072, RSA-4096: scalar (asked for)", choice.ToString());
    }

    [Fact]
    public void SIMD_engine_that_was_asked_for_computes_every_number_or_is_refused()
    {
        if (!SimdEngine.IsSupported)
        {
            Assert.StartsWith("Simd needs AVX2 and FMA", Assert.Throws<ArgumentException>(() => EngineChoice.Make(EngineKind.Simd)).Message);
            return;
        }

        EngineChoice choice = EngineChoice.Make(EngineKind.Simd);
        Assert.All(choice.Sizes, size => Assert.Equal(("simd", 1), (size.Engine, size.Plan.SimdFrom)));
        using IRsaEngine engine = choice.CreateEngine();
        Assert.True(EngineSelfTest.Run(engine, out string? failure), failure);
    }

    [Fact]
    public void Choice_by_measuring_is_made_once_for_all_engines_of_the_process_and_computes_right()
    {
        EngineChoice choice = EngineChoice.Make(EngineKind.Auto);
        Assert.Equal(SimdEngine.IsSupported, ReferenceEquals(choice, EngineChoice.Make(EngineKind.Auto)));
        using IRsaEngine engine = choice.CreateEngine();
        Assert.True(EngineSelfTest.Run(engine, out string? failure), failure);
    }

    [Fact]
    public void Clock_of_a_thread_counts_its_own_time_alone()
    {
        TimeSpan before = ThreadClock.Read();
        var other = new Thread(() =>
        {
            TimeSpan start = ThreadClock.Read();
            while (ThreadClock.Read() - start < TimeSpan.FromMilliseconds(50))
            {
            }
        });
        other.Start();
        other.Join();
        Assert.InRange(ThreadClock.Read() - before, TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(50));
    }

    private static int Bits(OperationBatch batch) => batch[0].ModulusBytes * 8;

    private static double ScalarTime(OperationBatch batch) => Bits(batch) switch { 2048 => 200, 3072 => 250, _ => 4000 };

    private TimeSpan Clock() => _scalar.Spent + _simd.Spent;

    private EngineChoice Measure() => EngineChoice.Measure(() => _scalar, () => _simd, _file, Clock);
}
