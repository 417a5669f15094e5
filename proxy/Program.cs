using WarpDrive.Linux;
using WarpProxy.Configuration;
using WarpProxy.Doctor;
using WarpProxy.Hosting;
using WarpProxy.Probe;
using WarpProxy.Schema;

// Before anything starts a thread.
ProcessThreads threads = ProcessThreads.Prepare();

// As early as can be: until then the signal would end the process. One that comes before the proxy serves is answered when it does.
using var reload = new ReloadSignal();
try
{
    if (CommandLine.Parse(args, Console.Out) is not { } commandLine)
    {
        return 0;
    }

    if (commandLine.Verb is Verb.Schema or Verb.SettingsTable)
    {
        var summaries = SummaryFile.Read();
        await Console.Out.WriteAsync(commandLine.Verb == Verb.Schema
            ? new SettingsSchema(summaries).Write(ProxyOptions.Sections)
            : new SettingsTable(summaries).Write(ProxyOptions.Sections));
        return 0;
    }

    if (commandLine.Verb == Verb.Probe)
    {
        return await ProbeCommand.RunAsync(ProbeCommand.ParseUrl(commandLine.ProbeUrl), Console.Out);
    }

    if (commandLine.Verb == Verb.Doctor)
    {
        return DoctorCommand.Run(commandLine, Console.Out, TimeProvider.System);
    }

    IConfigurationRoot Load() => ConfigurationSources.Load(commandLine.ConfigFile, commandLine.Settings);
    IConfigurationRoot configuration = Load();
    var problems = new SettingProblems(configuration);
    ProxyOptions options = ProxyOptions.Read(configuration, problems);

    // A start that is refused tells all that is wrong, and not only what was found first.
    if (commandLine.Verb == Verb.Check || problems.Count > 0)
    {
        await Console.Out.WriteLineAsync(await ConfigurationCheck.RunAsync(commandLine.ConfigFile, options, problems));
        return 0;
    }

    ProcessThreads.Use(options.Server.Processors);
    ProxyServer? started = null;
    using var bound = new ShutdownBound();
    using var signals = new ShutdownSignals(
        () => bound.Begin((Volatile.Read(ref started)?.DrainTime ?? options.Shutdown.Drain) + ShutdownBound.ReleaseTime));

    try
    {
        await using ProxyServer server = await ProxyServer.StartAsync(configuration, options, TimeProvider.System, threads, Load, stopping: signals.Stopping);
        Volatile.Write(ref started, server);
        using var manager = ServiceManager.FromEnvironment();
        string Serving() => $"Serving {string.Join(", ", server.Urls)}";
        reload.Connect(() => manager.Reload(server.ReloadFiles, Serving));
        manager.Ready(Serving());
        await signals.First;
        manager.Stopping(server.DrainTime + ShutdownBound.ReleaseTime + ShutdownBound.ReleaseTime);
        await server.DrainAsync();
        bound.Shorten(ShutdownBound.ReleaseTime);
    }
    catch (OperationCanceledException) when (signals.First.IsCompleted)
    {
        // A start that was not to go on.
    }

    return 0;
}
catch (BadInputException badInput)
{
    await Console.Error.WriteLineAsync(badInput.Message);
    return badInput is CannotListenException ? 1 : 2;
}
