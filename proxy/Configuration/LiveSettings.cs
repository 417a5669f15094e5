namespace WarpProxy.Configuration;

/// <summary>Settings of one configuration for those who watch them, such as .NET's log; another configuration can take its place.</summary>
internal sealed class LiveSettings : ConfigurationProvider, IConfigurationSource
{
    /// <summary>Begins with one.</summary>
    public LiveSettings(IConfiguration configuration)
    {
        Take(configuration);
        Root = new ConfigurationBuilder().Add(this).Build();
    }

    /// <summary>The settings in force.</summary>
    public IConfigurationRoot Root { get; }

    /// <summary>Takes another one, and tells those who watch.</summary>
    public void Replace(IConfiguration configuration)
    {
        Take(configuration);
        OnReload();
    }

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    private void Take(IConfiguration configuration) =>
        Data = configuration.AsEnumerable().Where(static setting => setting.Value is not null)
            .ToDictionary(static setting => setting.Key, static setting => setting.Value, StringComparer.OrdinalIgnoreCase);
}
