using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>
/// <c>warpproxy doctor</c>: looks at all that a start with this configuration needs, and tells what is good, what is not, and what to do. It serves nobody,
/// and writes nothing but how quick the engines are, as a start does.
/// </summary>
internal static class DoctorCommand
{
    /// <summary>Makes all checks.</summary>
    /// <param name="commandLine">As of a start.</param>
    /// <param name="output">Gets the report.</param>
    /// <param name="time">The clock.</param>
    /// <returns>The exit code: 1 when anything failed.</returns>
    public static int Run(CommandLine commandLine, TextWriter output, TimeProvider time)
    {
        using var configuration = ExaminedConfiguration.Load(commandLine.ConfigFile, commandLine.Settings);
        var text = new TextReport(output, TextReport.WantsColours);
        List<Finding> findings = [];
        foreach (Finding finding in new Examination(MakeChecks(configuration, time)).Run())
        {
            findings.Add(finding);
            if (!commandLine.WantsJson)
            {
                text.Write(finding);
            }
        }

        if (commandLine.WantsJson)
        {
            output.WriteLine(JsonReport.Of(findings, time.GetUtcNow()).Write());
        }
        else
        {
            text.WriteEnd(findings);
        }

        return findings.Exists(static finding => finding.Level == FindingLevel.Failed) ? 1 : 0;
    }

    /// <summary>From the machine to the world: what a later one needs was looked at before.</summary>
    private static List<ICheck> MakeChecks(ExaminedConfiguration configuration, TimeProvider time)
    {
        ProxyOptions options = configuration.Options;
        IReadOnlyList<DeviceUri> devices = options.UsesDevices ? options.Offload.ParseDevices() : [];
        return
        [
            new SettingsCheck(configuration),
            new OpenSslCheck(),
            new ProcessorCheck(),
            new LockedMemoryCheck(configuration),
            new OpenFilesCheck(options),
            new UacceCheck(options.Offload.Tree),
            new MdevCheck(options.Offload.Tree),
            .. devices.Count > 0 ? [new EngineCheck(options.Offload), .. devices.Select(device => new DeviceCheck(device, configuration))] : (ICheck[])[new NoDeviceCheck()],
            new CertificateCheck(configuration, time),
            new ListenerCheck(options),
            new UpstreamCheck(options),
        ];
    }
}
