using WarpDrive.Engines;
using WarpDrive.Engines.Simd;

namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>All that is timed: both engines at every size, the kernels of the SIMD engine, and controls that leak.</summary>
internal sealed class SubjectList : IDisposable
{
    public const int Seed = 20181;

    // Few, so that a round of large batches stays short, and what a slot holds stays in the second-level cache.
    private const int Slots = 8;

    private static readonly int[] Sizes = [256, 384, 512];

    private static readonly KernelData[] NumberClasses = [KernelData.Fixed, KernelData.ZeroLane, KernelData.Zero];
    private static readonly KernelData[] TableClasses = [KernelData.Fixed, KernelData.Zero];

    private readonly List<TimingTest> _tests = [];
    private readonly List<IRsaEngine> _engines = [];

    public SubjectList()
    {
        if (SimdEngine.IsSupported)
        {
            var simd = new SimdEngine();
            _engines.Add(simd);
            AddEngine(simd, "SIMD, full batch", simd.Lanes, Enum.GetValues<EngineData>());
            AddEngine(simd, "SIMD, half batch", simd.HalfLanes, Enum.GetValues<EngineData>());
            if (simd.Lanes == Avx512Lanes.Count)
            {
                AddKernels<Avx512Lanes>();
            }
            else
            {
                AddKernels<Avx2Lanes>();
            }
        }

        var scalar = new ScalarEngine();
        _engines.Add(scalar);

        // Not with exponents of zero, which no key has: OpenSSL answers 1 at once.
        AddEngine(scalar, "scalar", 1, [EngineData.Key, EngineData.Input, EngineData.SparseExponents]);
    }

    public IReadOnlyList<TimingTest> Tests => _tests;

    public void Dispose()
    {
        foreach (TimingTest test in _tests)
        {
            test.Subject.Dispose();
        }

        foreach (IRsaEngine engine in _engines)
        {
            engine.Dispose();
        }
    }

    private void AddEngine(IRsaEngine engine, string name, int operations, EngineData[] classes)
    {
        foreach (int modulusBytes in Sizes)
        {
            foreach (EngineData data in classes)
            {
                Add(new EngineSubject(engine, modulusBytes, operations, data, Slots, Seed + _tests.Count)
                {
                    Name = $"{name}, {modulusBytes * 8} bits",
                    FirstClass = data switch
                    {
                        EngineData.Key => "fixed key",
                        EngineData.Input => "fixed input",
                        EngineData.SparseExponents => "exponents of two bits",
                        _ => "exponents zero",
                    },
                });
            }
        }
    }

    private void AddKernels<TLanes>()
        where TLanes : struct, IDigitLanes
    {
        foreach (Kernel kernel in (Kernel[])[Kernel.Multiply, Kernel.Square, Kernel.Reduce, Kernel.Select])
        {
            foreach (int modulusBytes in Sizes)
            {
                bool isTable = kernel == Kernel.Select;
                foreach (KernelData data in isTable ? TableClasses : NumberClasses)
                {
                    string what = isTable ? "windows" : "numbers";
                    Add(new KernelSubject<TLanes>(kernel, modulusBytes * 4, data, Slots, Seed + _tests.Count)
                    {
                        Name = $"{kernel}, {modulusBytes * 4} bits",
                        FirstClass = data switch
                        {
                            KernelData.Fixed => $"fixed {what}",
                            KernelData.ZeroLane => "zero in one lane",
                            _ => $"{what} all zero",
                        },
                    });
                }
            }
        }

        AddControls<TLanes>();
    }

    private void AddControls<TLanes>()
        where TLanes : struct, IDigitLanes
    {
        Add(new KernelSubject<TLanes>(Kernel.EarlyExit, 1024, KernelData.SomeZeroWindows, Slots, Seed + _tests.Count)
        {
            Name = "control: ends at the first zero window",
            FirstClass = "one window in eight zero",
            IsControl = true,
        });
        Add(new KernelSubject<TLanes>(Kernel.SkippedMultiplication, 1024, KernelData.SomeZeroWindows, Slots, Seed + _tests.Count)
        {
            Name = "control: skips a zero window's product",
            FirstClass = "one window in eight zero",
            IsControl = true,
        });
    }

    private void Add(TimedSubject subject) => _tests.Add(new TimingTest(subject, Slots, Seed + _tests.Count));
}
