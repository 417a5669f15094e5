namespace WarpProxy.Tests.EndToEnd;

/// <summary>Tests that load the machine or look at the clock: they run one after the other, when all the others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
