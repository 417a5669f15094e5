namespace WarpProxy.Configuration;

/// <summary>What the program is to do.</summary>
internal enum Verb
{
    /// <summary>Serve.</summary>
    Serve,

    /// <summary>Tell what is wrong with the configuration.</summary>
    Check,

    /// <summary>Look at the machine, the devices and the configuration, and tell what to do.</summary>
    Doctor,

    /// <summary>Ask a proxy that serves how it is.</summary>
    Probe,

    /// <summary>Write the JSON schema of configuration files.</summary>
    Schema,

    /// <summary>Write the table of settings.</summary>
    SettingsTable,
}
