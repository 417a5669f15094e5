using System.Globalization;
using WarpDrive.Abi.Uacce;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpProxy.Doctor;

/// <summary>The accelerators of this machine that the kernel offers through UACCE, and why each can be used or not.</summary>
internal sealed class UacceCheck(DeviceTree tree) : ICheck
{
    /// <inheritdoc/>
    public string Name => "uacce";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        var discovery = new UacceDiscovery(tree);
        IReadOnlyList<UacceListing> devices = discovery.List();
        if (devices.Count == 0)
        {
            string root = tree.Sys("class/uacce");
            yield return Finding.Ok(
                Name, null, $"this machine has no such accelerator: {(Directory.Exists(root) ? $"{root} is empty" : $"{root} does not exist")}");
        }

        foreach (UacceListing device in devices)
        {
            yield return Examine(device, discovery.PathOf(device.Name)) with
            {
                Values = new Dictionary<string, object?>
                {
                    ["api"] = device.ApiName,
                    ["algorithms"] = device.Algorithms,
                    ["availableInstances"] = device.AvailableInstances,
                    ["isolated"] = device.IsIsolated,
                    ["sva"] = device.Flags.HasFlag(UacceFlags.SharedAddresses),
                    ["numaNode"] = device.NumaNode,
                },
            };
        }
    }

    private Finding Examine(UacceListing device, string path)
    {
        if (device.Misfit is { } misfit)
        {
            // Accelerators for other algorithms stand beside those for RSA.
            return Finding.Ok(Name, device.Name, $"not for WarpProxy: {misfit.TrimEnd('.')}");
        }

        if (device.Obstacle is { } obstacle)
        {
            return Finding.Warning(
                Name,
                device.Name,
                obstacle.TrimEnd('.'),
                device.IsIsolated == true
                    ? "Look at the kernel's log for its hardware errors; reset the device, or see isolate_strategy beside isolate"
                    : "See which processes have its queues (fuser -v on its file in /dev)");
        }

        string seen = string.Create(
            CultureInfo.InvariantCulture,
            $"{device.ApiName}, {string.Join(' ', device.Algorithms)}, {(device.AvailableInstances is { } free ? $"{free} queues free" : "an unknown number of queues free")}, "
            + $"{(device.Flags.HasFlag(UacceFlags.SharedAddresses) ? "shares the process's addresses (SVA)" : "without SVA: memory of the kernel's is used")}, "
            + $"{(device.NumaNode < 0 ? "memory node unknown" : $"memory node {device.NumaNode}")}");
        return FindFileProblem(path) is var (problem, advice)
            ? Finding.Failed(Name, device.Name, $"{seen}; but {problem}", advice)
            : Finding.Ok(Name, device.Name, $"{seen}; usable as uacce:{device.Name}");
    }

    /// <summary>Opens a queue for a moment: nothing else tells whether this process may.</summary>
    private static (string Problem, string? Advice)? FindFileProblem(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
            return null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return ($"{path} does not exist", $"docker: --device {path}; else see whether udev runs");
        }
        catch (UnauthorizedAccessException)
        {
            return ($"{path} may not be opened by this user", $"Give it to a group that the proxy's user is in: a udev rule, or chgrp and chmod 660 {path}");
        }
        catch (IOException exception)
        {
            return ($"{path} cannot be opened: {exception.Message.TrimEnd('.')}", null);
        }
    }
}
