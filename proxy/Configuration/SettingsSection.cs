namespace WarpProxy.Configuration;

/// <summary>A section at the top of the configuration.</summary>
/// <param name="Name">Of the section.</param>
/// <param name="Type">The record of its settings, or of the sections by name below it.</param>
/// <param name="IsNamed">Whether it has sections by name.</param>
internal sealed record SettingsSection(string Name, Type Type, bool IsNamed);
