"""Counts or interrupts the calls of pymilvus that a store makes."""

from collections import Counter

from hf_fashion.retrieval.stores.milvus.connection import MilvusConnection


class Killed(BaseException):
    """The end of a process."""


def killed_at(monkeypatch, method: str, number: int = 1):
    """The process ends when it calls a method of pymilvus's for the `number`th time from now on."""
    call, calls = MilvusConnection.call, []

    def counted(self, name, *arguments, **options):
        calls.append(name)
        if calls.count(method) == number and name == method:
            raise Killed
        return call(self, name, *arguments, **options)

    monkeypatch.setattr(MilvusConnection, "call", counted)


def counted(monkeypatch, collection: str) -> Counter:
    """How often each method of pymilvus's is called for this collection from now on."""
    call, calls = MilvusConnection.call, Counter()

    def counting(self, name, *arguments, **options):
        calls[name] += arguments[:1] == (collection,)
        return call(self, name, *arguments, **options)

    monkeypatch.setattr(MilvusConnection, "call", counting)
    return calls
