using System.Runtime.CompilerServices;
using WarpDrive.KernelGenerator;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class KernelSourceTests
{
    [Fact]
    public void Kernel_is_what_the_generator_writes()
    {
        string kernel = Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../emulator/Engines/Simd/DigitKernel.cs");
        Assert.Equal(KernelSource.Write(), File.ReadAllText(kernel));
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
