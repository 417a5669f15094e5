namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>What a device reads of a submission.</summary>
internal readonly record struct HostileSubmission(int Index, int ModulusBytes, ulong KeyIova, ulong InputIova, ulong OutputIova);
