using WarpDrive.KernelGenerator;

if (args.Length != 1)
{
    Console.Error.WriteLine(
        $"{args.Length} arguments; one is needed: the folder to write to, emulator/Engines/Simd.");
    return 2;
}

foreach (KernelWidth width in KernelWidth.All)
{
    File.WriteAllText(Path.Combine(args[0], width.FileName), KernelSource.Write(width));
}

return 0;
