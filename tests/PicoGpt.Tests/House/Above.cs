using System.Runtime.CompilerServices;
using PicoGpt.Tests.House.Below;

// A type that names another in every way there is, one way each.
namespace PicoGpt.Tests.House.Above
{
    [InAttribute]
    internal sealed class NamesAll : Base, IBelow
    {
        private readonly InField[] _field = [];

        public int Length => _field.Length;

        public static InResult? Method<T>(InParameter parameter)
            where T : IConstraint
        {
            try
            {
                Func<object> lambda = () => Unsafe.As<object, InLambda>(ref Unsafe.NullRef<object>());
                Consume(lambda);
                Consume(new List<InArgument>());
                InBody.Run();
            }
            catch (InCatch)
            {
                return null;
            }

            return (object)parameter is InPattern ? new InResult() : null;
        }

        private static void Consume(object value) => GC.KeepAlive(value);
    }
}

namespace PicoGpt.Tests.House.Below
{
    internal class Base;

    internal interface IBelow;

    internal interface IConstraint;

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class InAttributeAttribute : Attribute;

    internal sealed class InField;

    internal sealed class InParameter;

    internal sealed class InResult;

    internal sealed class InLambda;

    internal sealed class InPattern;

    internal sealed class InArgument;

    internal sealed class InCatch : Exception;

    internal static class InBody
    {
        public static void Run()
        {
        }
    }
}
