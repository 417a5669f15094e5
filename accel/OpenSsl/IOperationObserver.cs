using WarpDrive.Driver;

namespace WarpDrive.OpenSsl;

/// <summary>Watches private-key operations. Called on the thread of each, several at once; nothing may throw, wait or allocate.</summary>
public interface IOperationObserver
{
    /// <summary>An operation begins. Returns where its steps are to be written, which is the operation's until <see cref="Record"/>; null: it is not watched.</summary>
    OperationTimeline? Watch();

    /// <summary>It is over.</summary>
    void Record(OperationTimeline timeline, in OperationResult result);
}
