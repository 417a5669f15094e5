namespace WarpProxy.Configuration;

/// <summary>
/// What was given to the program cannot be used: the message is the sentence that the user reads, with the value seen and the
/// value allowed. Program.cs prints it and ends with exit code 2.
/// </summary>
internal class BadInputException(string message, Exception? innerException = null) : Exception(message, innerException);
