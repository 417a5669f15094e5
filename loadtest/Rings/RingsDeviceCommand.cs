using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Emulator;
using WarpDrive.Emulator.VfioUser;

namespace WarpProxy.LoadTest.Rings;

/// <summary>The other process of <c>rings</c>: serves the copying device until its standard input is closed.</summary>
internal static class RingsDeviceCommand
{
    public const string Name = "rings-device";

    public static Command Create()
    {
        var socket = new Option<string>("--socket") { Required = true, Description = "Socket file to create." };
        var command = new Command(Name, "The device process that 'rings' starts.") { socket };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            using EmulatedAccelerator device = RingsDevice.Create();
            using VfioUserServer server = VfioUserServer.Listen(device, RingsDevice.Options, parsed.GetRequiredValue(socket), NullLogger.Instance);
            Console.WriteLine("ready");
            while (Console.In.Read() >= 0)
            {
            }

            return 0;
        });
        return command;
    }
}
