using WarpProxy.Configuration;
using WarpProxy.Hosting;

// Before anything starts a thread.
ProcessThreads threads = ProcessThreads.Prepare();
try
{
    if (CommandLine.Parse(args, Console.Out) is not { } commandLine)
    {
        return 0;
    }

    IConfigurationRoot configuration = ConfigurationSources.Load(commandLine.ConfigFile, commandLine.Settings);
    ProxyOptions options = ProxyOptions.Read(configuration);
    using var signals = new ShutdownSignals();
    await using ProxyServer server = await ProxyServer.StartAsync(configuration, options, TimeProvider.System, threads);
    using var reload = new ReloadSignal(server.ReloadFiles);
    await signals.First;
    await server.DrainAsync();
    return 0;
}
catch (BadInputException badInput)
{
    await Console.Error.WriteLineAsync(badInput.Message);
    return 2;
}
