#pragma once

namespace relay {

/// Makes T an element of a circular list that owns nothing: `class T : public ListLink<T>`. A list is
/// a T of its own that stands for the end; an element that is in no list points to itself.
///
/// Thread: guarded by its list's owner.
template <typename T>
class ListLink
{
public:
    ListLink() = default;
    ListLink(const ListLink &) = delete;
    ListLink &operator=(const ListLink &) = delete;

    [[nodiscard]] bool isLinked() const { return m_next != this; }
    [[nodiscard]] T &next() const { return static_cast<T &>(*m_next); }
    [[nodiscard]] T &previous() const { return static_cast<T &>(*m_previous); }

    /// Precondition: not linked.
    void insertBefore(ListLink &other)
    {
        m_previous = other.m_previous;
        m_next = &other;
        m_previous->m_next = this;
        other.m_previous = this;
    }
    void unlink()
    {
        m_previous->m_next = m_next;
        m_next->m_previous = m_previous;
        m_previous = m_next = this;
    }

protected:
    ~ListLink() = default;

private:
    ListLink *m_previous = this;
    ListLink *m_next = this;
};

} // namespace relay
