using WarpDrive.KernelGenerator;

if (args.Length != 1)
{
    Console.Error.WriteLine(
        $"{args.Length} arguments; one is needed: the file to write, emulator/Engines/Simd/DigitKernel.cs.");
    return 2;
}

File.WriteAllText(args[0], KernelSource.Write());
return 0;
