using System.Runtime.CompilerServices;
using WarpDrive.KernelGenerator;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class KernelSourceTests
{
    [Theory, InlineData("Avx512Kernel.cs"), InlineData("Avx2Kernel.cs")]
    public void Kernel_is_what_the_generator_writes(string file)
    {
        string kernel = Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../emulator/Engines/Simd", file);
        KernelWidth width = Assert.Single(KernelWidth.All, width => width.FileName == file);
        Assert.Equal(KernelSource.Write(width), File.ReadAllText(kernel));
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
