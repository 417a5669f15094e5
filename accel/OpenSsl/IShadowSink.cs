namespace WarpDrive.OpenSsl;

/// <summary>Takes signatures that are to be computed the other way too. Called on the thread of each, several at once; it may not throw or wait.</summary>
public interface IShadowSink
{
    /// <summary>Whether the next signature is wanted; asked for each.</summary>
    bool IsWanted();

    /// <summary>Takes one, to be run or dropped.</summary>
    void Take(ShadowOperation operation);
}
