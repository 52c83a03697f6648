#pragma once

#include "base/channel_name.h"
#include "base/segment_reader.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QHashFunctions>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

namespace relay {

/// Who listens to a channel by a pattern: a tree of the patterns' segments.
///
/// Cost: of a lookup, the nodes that the name's segments lead to: at each at most two, the segment
/// itself and `*`. Other patterns cost nothing, and it allocates nothing but room in `out`. Adding
/// costs the pattern's length; removing also the number of listeners that share the pattern.
///
/// Thread: guarded by its owner.
/// Owner: does not own the listeners.
/// Limits: none of its own; what is removed leaves nothing behind.
template <typename Listener>
class PatternIndex
{
public:
    /// A pair that was added twice is there twice.
    void add(const ChannelPattern &pattern, Listener *listener)
    {
        Node *node = &m_root;
        for (SegmentReader segments(pattern.bytes()); !segments.atEnd();) {
            const QByteArrayView segment = segments.next();
            if (isAnyRest(segment)) { // always the last
                node->listenersBelow.push_back(listener);
                return;
            }
            node = &node->makeChild(segment);
        }
        node->listenersHere.push_back(listener);
    }

    /// Once. Does nothing when the pair is not there.
    void remove(const ChannelPattern &pattern, Listener *listener)
    {
        removeBelow(m_root, SegmentReader(pattern.bytes()), listener);
    }

    /// Appends those whose pattern matches, in no particular order; a listener of several patterns
    /// that match is there for each. None for a reserved name.
    void match(const ChannelName &name, std::vector<Listener *> &out) const
    {
        if (!name.isReserved()) {
            collect(m_root, SegmentReader(name.bytes()), out);
        }
    }

    [[nodiscard]] bool isEmpty() const { return m_root.isEmpty(); }
    /// Segments that the tree holds: grows and shrinks with the patterns.
    [[nodiscard]] qsizetype nodeCount() const { return m_root.descendantCount(); }

private:
    /// Seeded: the segments are chosen by clients, who must not choose where they collide.
    struct SegmentHash
    {
        using is_transparent = void; // NOLINT(readability-identifier-naming)
        std::size_t operator()(QByteArrayView segment) const noexcept
        {
            return qHash(segment, QHashSeed::globalSeed());
        }
    };
    struct SegmentEqual
    {
        using is_transparent = void; // NOLINT(readability-identifier-naming)
        bool operator()(QByteArrayView a, QByteArrayView b) const noexcept { return a == b; }
    };

    struct Node
    {
        std::unordered_map<QByteArray, std::unique_ptr<Node>, SegmentHash, SegmentEqual> literals;
        std::unique_ptr<Node> any;              ///< the child `*`
        std::vector<Listener *> listenersHere;  ///< of the patterns that end here
        std::vector<Listener *> listenersBelow; ///< of those that go on with `**`

        [[nodiscard]] bool isEmpty() const
        {
            return literals.empty() && !any && listenersHere.empty() && listenersBelow.empty();
        }

        [[nodiscard]] qsizetype descendantCount() const
        {
            qsizetype count = any ? 1 + any->descendantCount() : 0;
            for (const auto &[segment, child] : literals) {
                count += 1 + child->descendantCount();
            }
            return count;
        }

        [[nodiscard]] Node *child(QByteArrayView segment) const
        {
            if (isAnySegment(segment)) {
                return any.get();
            }
            const auto found = literals.find(segment);
            return found == literals.end() ? nullptr : found->second.get();
        }

        Node &makeChild(QByteArrayView segment)
        {
            if (Node *existing = child(segment)) {
                return *existing;
            }
            std::unique_ptr<Node> &place =
                isAnySegment(segment) ? any : literals[segment.toByteArray()];
            place = std::make_unique<Node>();
            return *place;
        }

        void dropChild(QByteArrayView segment)
        {
            if (isAnySegment(segment)) {
                any.reset();
            } else {
                literals.erase(literals.find(segment));
            }
        }
    };

    static void removeFrom(std::vector<Listener *> &listeners, Listener *listener)
    {
        const auto found = std::find(listeners.begin(), listeners.end(), listener);
        if (found != listeners.end()) {
            listeners.erase(found);
        }
        if (listeners.empty()) {
            listeners.shrink_to_fit();
        }
    }

    /// As deep as the pattern has segments: at most 128.
    static void removeBelow(Node &node, SegmentReader rest, Listener *listener)
    {
        if (rest.atEnd()) {
            removeFrom(node.listenersHere, listener);
            return;
        }
        const QByteArrayView segment = rest.next();
        if (isAnyRest(segment)) {
            removeFrom(node.listenersBelow, listener);
            return;
        }
        if (Node *child = node.child(segment)) {
            removeBelow(*child, rest, listener);
            if (child->isEmpty()) {
                node.dropChild(segment);
            }
        }
    }

    static void collect(const Node &node, SegmentReader rest, std::vector<Listener *> &out)
    {
        out.insert(out.end(), node.listenersBelow.begin(), node.listenersBelow.end());
        if (rest.atEnd()) {
            out.insert(out.end(), node.listenersHere.begin(), node.listenersHere.end());
            return;
        }
        const QByteArrayView segment = rest.next(); // a name's: never `*`
        if (const auto found = node.literals.find(segment); found != node.literals.end()) {
            collect(*found->second, rest, out);
        }
        if (node.any) {
            collect(*node.any, rest, out);
        }
    }

    Node m_root;
};

} // namespace relay
